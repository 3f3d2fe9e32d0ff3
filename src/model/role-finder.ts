import { EmbError } from '../errors.ts';
import { layers } from '../layout.ts';
import { didYouMean, nearestPaths } from '../text/nearest.ts';
import type { Config, Layer, TensorInfo } from '../types.ts';
import type { EmbeddingName } from './embedding-names.ts';
import { shortList } from './folder.ts';
import { readLayout } from './layouts.ts';
import { candidatesFor } from './roles.ts';
import type { TensorSet } from './tensors.ts';

/** Which tensor plays which role, and why. */
export interface Role {
  layer: Layer;
  tensor: string;
  reason: string;
}

interface Candidate {
  name: string;
  reason: string;
  mayTie: boolean;
}

/** A file with more tensors is a model whose table has a name. */
const fewTensors = 64;

/** Finds the tensors of a model's roles: by --tensor, by what the file itself tells, by their names. */
export class RoleFinder {
  readonly #model: string;
  readonly #config: Config;
  readonly #chosen: string | undefined;
  readonly #set: TensorSet;
  readonly #found = new Map<Layer, Promise<Candidate[]>>();

  /** chosen: --tensor */
  constructor(model: string, config: Config, chosen: string | undefined, set: TensorSet) {
    this.#model = model;
    this.#config = config;
    this.#chosen = chosen;
    this.#set = set;
  }

  /** @throws EmbError "missing" with near names */
  async named(name: string): Promise<TensorInfo> {
    const tensor = await this.#set.find(name);
    if (tensor !== undefined) return tensor;
    const near = didYouMean(nearestPaths(name, [...this.#set.names()]));
    throw new EmbError(
      'missing',
      `${this.#model}: has no tensor ${JSON.stringify(name)}`,
      near ?? `emb info ${this.#model} lists the tensors`,
    );
  }

  /** @throws EmbError "missing" where several may be it */
  async role(layer: Layer): Promise<Role | undefined> {
    const found = await this.candidates(layer);
    if (found.length > 1) throw this.#ambiguous(layer, found);
    if (found.length === 1) return { layer, tensor: found[0].name, reason: found[0].reason };
    const { tied } = readLayout(this.#config);
    const inputs = layer === 'output' && tied !== false ? await this.candidates('input') : [];
    if (inputs.length !== 1 || !inputs[0].mayTie) return undefined;
    const [input] = inputs;
    const says = tied === true ? 'the config says tied' : 'no tensor of an output embedding';
    return { layer, tensor: input.name, reason: `${says}: the input table is used` };
  }

  /** Every role that a tensor plays, or may play. */
  async all(): Promise<Role[]> {
    const roles: Role[] = [];
    for (const layer of layers) {
      const found = await this.candidates(layer);
      const reason = `one of ${found.length} that may be it: choose by --tensor`;
      if (found.length > 1) roles.push(...found.map(({ name }) => ({ layer, tensor: name, reason })));
      else roles.push(...[await this.role(layer)].filter((role) => role !== undefined));
    }
    return roles;
  }

  /** What may play a role: what --tensor names, what the file tells, what has a known name; for the input also the only 2-D tensor. */
  candidates(layer: Layer): Promise<Candidate[]> {
    let found = this.#found.get(layer);
    if (found === undefined) {
      found = this.#look(layer);
      this.#found.set(layer, found);
    }
    return found;
  }

  async #look(layer: Layer): Promise<Candidate[]> {
    if (layer === 'input' && this.#chosen !== undefined) {
      return [{ name: (await this.named(this.#chosen)).name, reason: 'named by --tensor', mayTie: false }];
    }
    const told = this.#set.roles.filter((role) => role.layer === layer);
    if (told.length > 0) return told.map(({ tensor, reason }) => ({ name: tensor, reason, mayTie: true }));
    const inputs = layer === 'input' ? [] : await this.candidates('input');
    const input = inputs.length === 1 ? inputs[0].name : undefined;
    const names = this.#set.names();
    const shapeOf = async (name: string) => (await this.#set.find(name))?.shape;
    const found = await candidatesFor(layer, names, shapeOf, input);
    if (found.length > 0 || layer !== 'input') {
      return found.map(({ name, entry }) => ({
        name,
        reason: reasonOf(entry),
        mayTie: entry.headless !== true,
      }));
    }
    const tables = names.length > fewTensors ? [] : (await this.#set.all()).filter(isTable);
    return tables.length === 1
      ? [{ name: tables[0].name, reason: 'the only two-dimensional tensor', mayTie: false }]
      : [];
  }

  #ambiguous(layer: Layer, found: readonly Candidate[]): EmbError {
    return new EmbError(
      'missing',
      `${this.#model}: ${found.length} tensors may be the ${layer} embedding`,
      `choose by --tensor: ${shortList(found.map(({ name }) => name))}`,
    );
  }

  /** Why a role has no table. */
  async noTable(layer: Layer): Promise<EmbError> {
    const tensors = await this.#set.all();
    if (layer === 'output' && readLayout(this.#config).tied === false) {
      return new EmbError(
        'missing',
        `${this.#model}: has no output embedding, and the config says that it is not tied to the input`,
        'the file may hold the model without its head',
      );
    }
    if (layer === 'input' && tensors.length === 1) {
      const [{ name, shape }] = tensors;
      return new EmbError(
        'unsupported',
        `${this.#model}: tensor ${JSON.stringify(name)} has the shape [${shape.join(', ')}], expected two dimensions: rows and columns`,
      );
    }
    const tables = tensors.filter(isTable);
    const list = shortList(tables.map(({ name, shape }) => `${name} [${shape.join(', ')}]`));
    return new EmbError(
      'missing',
      `${this.#model}: no tensor has a known name of the ${layer} embedding`,
      tables.length === 0 ? 'it has no two-dimensional tensor' : `choose by --tensor: ${list}`,
    );
  }
}

function isTable({ shape }: TensorInfo): boolean {
  return shape.length === 2;
}

function reasonOf(entry: EmbeddingName): string {
  return `named as in ${entry.families.split(' ').slice(0, 4).join(', ')}`;
}
