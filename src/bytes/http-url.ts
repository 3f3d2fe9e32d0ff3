import { EmbError } from '../errors.ts';

/** Longer names tell nobody more. */
const longestShown = 300;

/** A URL without what must not be seen, and the Authorization header that it asked for. */
export interface HttpTarget {
  /** Without user, password and fragment; the query is kept, signed URLs need it. */
  url: URL;
  /** Sent to the first origin only. */
  authorization?: string;
}

/**
 * An http or https URL as the user wrote it.
 *
 * @throws EmbError "usage" when it is no URL, "unsupported" for another scheme; no message holds its query or password
 */
export function parseHttpUrl(text: string): HttpTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The one error of new URL(): not a URL.
    throw new EmbError('usage', `${shownText(text)}: is no URL`, 'https://host/path/model.safetensors');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new EmbError('unsupported', `${shownText(text)}: "${url.protocol}" is not opened, expected https:`);
  }
  const authorization = basicAuthorization(url);
  url.username = '';
  url.password = '';
  url.hash = '';
  return authorization === undefined ? { url } : { url, authorization };
}

/** A URL as errors and notes show it: no user, no password, no query (signatures are in it). */
export function shownUrl(url: URL): string {
  const shown = `${url.origin}${url.pathname}`;
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}...` : shown;
}

/** "Basic ..." of the user and password in a URL; undefined without. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(user, 'utf8').toString('base64')}`;
}

/** Percent signs that are no escapes stay as they are. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The same for text that is no URL. */
function shownText(text: string): string {
  const shown = text.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//');
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}...` : shown;
}
