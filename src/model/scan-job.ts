import { openFile } from '../bytes/file.ts';
import type { ThreadPort } from '../command.ts';
import { type ScanJob, scanAlong } from '../core/shared-scan.ts';
import { EmbError } from '../errors.ts';
import { tableOf } from './table.ts';

/**
 * Scans along with another thread: opens the same file and takes blocks from the same counter.
 *
 * @throws EmbError "corrupt" when the file is not as long as it was
 */
export async function scanJob(data: unknown, port: ThreadPort): Promise<void> {
  const job = data as ScanJob;
  const { path, fileBytes, tensor } = job.origin;
  const source = openFile(path);
  if (source.byteLength !== fileBytes) {
    throw new EmbError(
      'corrupt',
      `${path}: has ${source.byteLength} bytes, expected ${fileBytes}: the file changed while it was read`,
      'try again when nothing writes to the file',
    );
  }
  const table = tableOf({ ...tensor, source });
  await scanAlong(
    table,
    job,
    () => port.receive(),
    (found) => port.post(found),
  );
}
