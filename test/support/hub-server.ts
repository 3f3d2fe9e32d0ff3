import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bytes that exist, or that are made when they are read: a 16 GB file takes no room. */
export interface Content {
  byteLength: number;
  read(start: number, end: number): Uint8Array;
}

export interface ServedFile {
  content: Content;
  etag: string;
  /** Kept elsewhere: the hub redirects to the other origin, as it does for large files. */
  isLarge: boolean;
}

/** One request as it came, and what it was answered. */
export interface Seen {
  /** Which of the two origins was asked. */
  origin: 'hub' | 'cdn';
  path: string;
  range: string | undefined;
  headers: IncomingMessage['headers'];
  status: number;
  /** Bytes of body that were written. */
  sent: number;
}

/** Answers a request in a way of its own; false: as usual. */
export type Fault = (request: IncomingMessage, response: ServerResponse, seen: Seen) => boolean;

export const commit = '0123456789abcdef0123456789abcdef01234567';

export function contentOf(bytes: Uint8Array | string): Content {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return { byteLength: data.length, read: (start, end) => data.subarray(start, end) };
}

/**
 * A hub on 127.0.0.1 that counts what it is asked for: the list of a repository's files, small files itself, large ones by a redirect
 * to a second origin. `fault` makes it lie.
 */
export class HubServer {
  readonly seen: Seen[] = [];
  fault: Fault | undefined;
  /** Repositories by name; every revision is the same commit. */
  readonly repos = new Map<string, Map<string, ServedFile>>();
  revisions = ['main', 'v1', 'refs/pr/1', commit];
  readonly #hub: Server;
  readonly #cdn: Server;

  /** Use HubServer.start. */
  constructor() {
    this.#hub = createServer((request, response) => this.#serve('hub', request, response));
    this.#cdn = createServer((request, response) => this.#serve('cdn', request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const one of [server.#hub, server.#cdn]) {
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  get cdnUrl(): string {
    return `http://127.0.0.1:${(this.#cdn.address() as AddressInfo).port}`;
  }

  get sent(): number {
    return this.seen.reduce((sum, { sent }) => sum + sent, 0);
  }

  add(repo: string, name: string, bytes: Uint8Array | string | Content, isLarge = false): void {
    const content = typeof bytes === 'string' || bytes instanceof Uint8Array ? contentOf(bytes) : bytes;
    const files = this.repos.get(repo) ?? new Map<string, ServedFile>();
    files.set(name, { content, etag: `"${repo}/${name}/1"`, isLarge });
    this.repos.set(repo, files);
  }

  file(repo: string, name: string): ServedFile {
    return this.repos.get(repo)!.get(name)!;
  }

  /** Forgets requests, faults and repositories. */
  reset(): void {
    this.seen.length = 0;
    this.fault = undefined;
    this.repos.clear();
  }

  /** Closes connections that wait for a next request. */
  closeConnections(): void {
    this.#hub.closeIdleConnections();
    this.#cdn.closeIdleConnections();
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #serve(origin: 'hub' | 'cdn', request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    const { headers } = request;
    const seen: Seen = { origin, path, range: headers.range, headers, status: 0, sent: 0 };
    this.seen.push(seen);
    const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
    response.write = ((chunk: Uint8Array) => {
      seen.sent += chunk.length;
      return write(chunk);
    }) as typeof response.write;
    response.on('close', () => {
      seen.status = response.statusCode;
    });
    if (this.fault?.(request, response, seen)) return;
    if (origin === 'cdn') this.#large(path, request, response);
    else if (path.startsWith('/api/models/')) this.#list(path, response);
    else this.#resolve(path, request, response);
  }

  #list(path: string, response: ServerResponse): void {
    const match = /^\/api\/models\/([^?]+)\/revision\/([^/?]+)\?blobs=true$/.exec(path);
    const files = this.repos.get(match?.[1] ?? '');
    const revision = decodeURIComponent(match?.[2] ?? '');
    if (files === undefined) {
      refuse(response, 404, 'RepoNotFound');
      return;
    }
    if (!this.revisions.includes(revision)) {
      refuse(response, 404, 'RevisionNotFound');
      return;
    }
    const siblings = [...files].map(([rfilename, { content }]) => ({ rfilename, size: content.byteLength }));
    send(response, 200, { 'content-type': 'application/json' }, JSON.stringify({ sha: commit, siblings }));
  }

  #resolve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const match = /^\/(.+)\/resolve\/([^/]+)\/([^?]+)/.exec(path);
    const [repo, name] = [match?.[1] ?? '', decodeURIComponent(match?.[3] ?? '')];
    const file = this.repos.get(repo)?.get(name);
    if (file === undefined) {
      refuse(response, 404, 'EntryNotFound');
      return;
    }
    response.setHeader('x-repo-commit', commit);
    if (!file.isLarge) {
      serveRange(file, request, response);
      return;
    }
    send(response, 302, {
      'x-linked-etag': file.etag,
      'x-linked-size': `${file.content.byteLength}`,
      location: `${this.cdnUrl}/blob/${encodeURIComponent(`${repo}:${name}`)}?X-Amz-Signature=sesame`,
    });
  }

  #large(path: string, request: IncomingMessage, response: ServerResponse): void {
    const key = decodeURIComponent(/^\/blob\/([^?]+)\?X-Amz-Signature=sesame$/.exec(path)?.[1] ?? '');
    const [repo, name] = key.split(':');
    const file = this.repos.get(repo ?? '')?.get(name ?? '');
    if (file === undefined) {
      refuse(response, 403);
      return;
    }
    serveRange({ ...file, etag: `"cdn of ${file.etag.slice(1)}` }, request, response);
  }
}

/** As a decent server answers a GET with or without Range. */
export function serveRange(file: ServedFile, request: IncomingMessage, response: ServerResponse): void {
  const { content, etag } = file;
  const total = content.byteLength;
  response.setHeader('etag', etag);
  response.setHeader('accept-ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) {
    send(response, 304, {});
    return;
  }
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  if (match === null || !isSame) {
    stream(response, 200, content, 0, total);
    return;
  }
  const start = Number(match[1]);
  if (start >= total) {
    send(response, 416, { 'content-range': `bytes */${total}` });
    return;
  }
  const end = Math.min(total, match[2] === '' ? total : Number(match[2]) + 1);
  response.setHeader('content-range', `bytes ${start}-${end - 1}/${total}`);
  stream(response, 206, content, start, end);
}

/** Writes a body piece by piece, as fast as it is taken. */
function stream(
  response: ServerResponse,
  status: number,
  content: Content,
  start: number,
  end: number,
): void {
  response.writeHead(status, { 'content-length': end - start });
  let at = start;
  const more = () => {
    while (at < end) {
      if (response.destroyed) return;
      const next = Math.min(end, at + 64 * 1024);
      const isRoom = response.write(content.read(at, next));
      at = next;
      if (!isRoom) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array = '',
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...headers,
    ...(status === 304 ? {} : { 'content-length': `${bytes.length}` }),
  });
  if (bytes.length > 0) response.write(bytes);
  response.end();
}

export function refuse(response: ServerResponse, status: number, code?: string): void {
  send(response, status, code === undefined ? {} : { 'x-error-code': code });
}

/**
 * A safetensors file of some GB that is nowhere: an F32 table whose weight [row, column] is row + column / 1024, and padding behind it.
 */
export function virtualSafetensors(rows: number, dim: number, tensor: string, paddingBytes: number): Content {
  const tableBytes = rows * dim * 4;
  const text = JSON.stringify({
    [tensor]: { dtype: 'F32', shape: [rows, dim], data_offsets: [0, tableBytes] },
    'rest.weight': {
      dtype: 'U8',
      shape: [paddingBytes],
      data_offsets: [tableBytes, tableBytes + paddingBytes],
    },
  });
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.write(text, 8);
  return {
    byteLength: header.length + tableBytes + paddingBytes,
    read(start, end) {
      const bytes = new Uint8Array(end - start);
      if (start < header.length) bytes.set(header.subarray(start, end));
      const first = Math.max(start, header.length) - header.length;
      const last = Math.min(end - header.length, tableBytes);
      const word = new Uint8Array(Float32Array.of(0).buffer);
      const value = new Float32Array(word.buffer);
      for (let at = first - (first % 4); at < last; at += 4) {
        const index = at / 4;
        value[0] = Math.floor(index / dim) + (index % dim) / 1024;
        for (let byte = 0; byte < 4; byte++) {
          const place = header.length + at + byte - start;
          if (place >= 0 && place < bytes.length) bytes[place] = word[byte]!;
        }
      }
      return bytes;
    },
  };
}
