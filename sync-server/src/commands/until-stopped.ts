/** Waits for Ctrl-C or a termination, then stops gracefully. A second Ctrl-C ends the process at once. */
export function untilStopped(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let asked = false;
    const ask = () => {
      if (asked) process.exit(130);
      asked = true;
      stop().then(resolve, reject);
    };
    process.on("SIGINT", ask);
    process.on("SIGTERM", ask);
  });
}
