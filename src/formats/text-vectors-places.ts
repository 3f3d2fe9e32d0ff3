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

  at(index: number): number {
    return this.#bases[Math.floor(index / groupPlaces)] + this.#offsets[index];
  }
}
