import { type Jobs, serve } from './jobs.ts';

/** What a second thread can be started for. */
const jobs: Jobs = {
  texts: async () => (await import('./batch-job.ts')).batchJob,
  scan: async () => (await import('../model/scan-job.ts')).scanJob,
};

void serve(jobs);
