// Makes src/generated/: packed ranks and WebAssembly as base64 modules. Run by `npm run build`; each part passes over what is up to date.
import { mkdirSync } from 'node:fs';
import { generateRanks } from './generate-ranks.mjs';
import { generateWasm } from './generate-wasm.mjs';

mkdirSync('src/generated', { recursive: true });
await generateRanks();
await generateWasm();
