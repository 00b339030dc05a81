// `npm run evaluate` has its place in the list of commands; what it shall do is not built, and it does not pretend.
process.stderr.write(
  "The evaluation of the anomaly detectors on generated fleets is not built yet. Their own tests run with npm test.\n",
);
process.exitCode = 2;
