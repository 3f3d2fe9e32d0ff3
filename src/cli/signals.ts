/**
 * Runs `clean` when SIGINT, SIGTERM or SIGHUP arrives, then dies of that signal, so that the shell sees 130 or 143.
 * Only installed while there is something to clean: the default disposition also ends a process that is blocked in a write.
 * @returns what takes the listeners away
 */
export function onSignals(clean: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listeners = signals.map((signal) => {
    const listener = () => {
      remove();
      clean();
      process.kill(process.pid, signal);
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  const remove = () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
  return remove;
}
