import { EmbError } from '../errors.ts';
import { Interruption } from './retry.ts';

const untrusted =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|CRL_|ERROR_IN_C|PATH_LENGTH)/;

/**
 * What the system says of a connection that failed, as what to do with it: an EmbError, an Interruption, or the error itself when
 * it is a bug.
 *
 * @param host host and port that were talked to
 */
export function connectionError(error: unknown, name: string, host: string, reused: boolean): unknown {
  if (error instanceof EmbError || error instanceof Interruption) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND') {
    return new EmbError(
      'missing',
      `${name}: there is no host ${host}`,
      'check the name, the network and HTTPS_PROXY',
    );
  }
  if (code === 'ECONNREFUSED') {
    return new EmbError('missing', `${name}: ${host} refuses the connection`, 'nothing listens there');
  }
  if (typeof code !== 'string') return error;
  if (untrusted.test(code)) {
    return new EmbError(
      'missing',
      `${name}: the certificate of ${host} is not trusted (${code})`,
      'NODE_EXTRA_CA_CERTS=FILE adds an authority',
    );
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new EmbError(
      'missing',
      `${name}: ${host} does not speak TLS there (${code})`,
      'http:// or another port',
    );
  }
  if (code.startsWith('HPE_')) {
    return new EmbError('corrupt', `${name}: what ${host} answers is no HTTP (${code})`);
  }
  const interruption = `the connection to ${host} broke (${code.toLowerCase()})`;
  return new Interruption(interruption, undefined, reused);
}
