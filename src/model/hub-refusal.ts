import type { Refusal } from '../bytes/http-file.ts';
import { EmbError } from '../errors.ts';
import type { HubRef } from './hub-ref.ts';
import type { HubSettings } from './hub-settings.ts';

/**
 * What the hub means by refusing a model: its X-Error-Code header says more than the status.
 *
 * Source: https://github.com/huggingface/huggingface_hub, hf_raise_for_status in src/huggingface_hub/utils/_http.py
 */
export function explainRefusal(
  { status, host, headers }: Refusal,
  { name, repo, revision }: HubRef,
  { authorization, tokenFrom, endpoint }: HubSettings,
): EmbError | undefined {
  const code = headers['x-error-code'];
  const hasToken = authorization !== undefined;
  const from = tokenFrom ?? 'HF_ENDPOINT';
  if (code === 'GatedRepo') {
    return new EmbError(
      'missing',
      `${name}: is gated: ${host} answers ${status}`,
      hasToken
        ? `accept its terms at ${endpoint}/${repo} with the account of the token in ${from}`
        : `accept its terms at ${endpoint}/${repo}, then set HF_TOKEN`,
    );
  }
  if (code === 'DisabledRepo') return new EmbError('missing', `${name}: is disabled on ${host} (${status})`);
  if (code === 'RevisionNotFound') {
    return new EmbError('missing', `${name}: has no revision "${revision ?? 'main'}" on ${host} (${status})`);
  }
  if (code === 'EntryNotFound') {
    return new EmbError('missing', `${name}: ${host} has no such file (${status})`);
  }
  if (status === 401 && hasToken) {
    return new EmbError(
      'missing',
      `${name}: ${host} does not take the token (401)`,
      `check the token in ${from}`,
    );
  }
  if (status === 403) {
    return new EmbError(
      'missing',
      `${name}: ${host} does not give it to us (403)`,
      hasToken ? `the token in ${from} may lack the right to read it` : 'set HF_TOKEN for private models',
    );
  }
  if (status !== 404 && status !== 401) return undefined;
  // The hub does not tell a private repository from one that is not there.
  return new EmbError(
    'missing',
    `${name}: ${host} has no such model, or it is private (${status})`,
    hasToken ? `check the name, and the token in ${from}` : 'check the name; set HF_TOKEN for private models',
  );
}
