import { type Jobs, serve } from './jobs.ts';

/** What a second thread can be started for. */
const jobs: Jobs = {};

void serve(jobs);
