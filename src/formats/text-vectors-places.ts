/** Places that are kept relative to the first of them. */
const groupPlaces = 1024;

/** Where rows lie in a file, in ascending order: 4 bytes a row, in files of any size, for rows below 4 MiB. */
export class RowPlaces {
  #count = 0;
  #bases = new Float64Array(1);
  #offsets = new Uint32Array(groupPlaces);

  get count(): number {
    return this.#count;
  }

  /** Makes room for so many places in all. */
  reserve(places: number): void {
    const groups = Math.ceil(places / groupPlaces);
    if (groups <= this.#bases.length) return;
    const bases = new Float64Array(groups);
    const offsets = new Uint32Array(groups * groupPlaces);
    bases.set(this.#bases);
    offsets.set(this.#offsets);
    this.#bases = bases;
    this.#offsets = offsets;
  }

  push(place: number): void {
    const index = this.#count++;
    if (index >= this.#offsets.length) this.reserve(Math.ceil(index * 1.5));
    const group = Math.floor(index / groupPlaces);
    if (index % groupPlaces === 0) this.#bases[group] = place;
    this.#offsets[index] = place - this.#bases[group];
  }

  /** Appends base + offsets[from .. to). */
  append(offsets: Uint32Array, from: number, to: number, base: number): void {
    if (this.#count + to - from > this.#offsets.length) {
      this.reserve(Math.max(this.#count + to - from, Math.ceil(this.#count * 1.5)));
    }
    const places = this.#offsets;
    let index = this.#count;
    let shift = base - this.#bases[Math.floor(index / groupPlaces)];
    for (let at = from; at < to; at++, index++) {
      if (index % groupPlaces === 0) {
        this.#bases[index / groupPlaces] = base + offsets[at];
        shift = -offsets[at];
      }
      places[index] = offsets[at] + shift;
    }
    this.#count = index;
  }

  at(index: number): number {
    return this.#bases[Math.floor(index / groupPlaces)] + this.#offsets[index];
  }
}
