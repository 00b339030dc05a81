#!/usr/bin/env node
import { asThriftyProcess } from "../src/commands/thrifty-process.ts";

/** What runs for long, or walks over all that a folder holds. */
const THRIFTY: readonly (string | undefined)[] = ["serve", "verify", "log", "backup"];

// What the relay keeps is for its own user alone.
process.umask(0o077);
// Before anything is loaded, which would be loaded twice.
if (THRIFTY.includes(process.argv[2])) asThriftyProcess();
const { runCommandLine } = await import("../src/commands/command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
