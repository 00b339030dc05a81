#!/usr/bin/env node
import { runCommandLine } from "../src/commands/command-line.ts";

// What the relay keeps is for its own user alone.
process.umask(0o077);
process.exitCode = await runCommandLine(process.argv.slice(2));
