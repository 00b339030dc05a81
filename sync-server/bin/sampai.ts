#!/usr/bin/env node
import { asRelayProcess } from "../src/commands/relay-process.ts";

// What the relay keeps is for its own user alone.
process.umask(0o077);
// Before anything is loaded, which would be loaded twice.
if (process.argv[2] === "serve") asRelayProcess();
const { runCommandLine } = await import("../src/commands/command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
