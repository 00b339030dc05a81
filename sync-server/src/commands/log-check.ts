import { readFileSync } from "node:fs";
import { readVerifier } from "@sampai/engine/proof";
import { checkReceipt } from "../proof/receipt.ts";
import { BadUsage, required, type Command } from "./command.ts";
import { print } from "./print.ts";

export const logCheck: Command = {
  name: "log check",
  positionals: "RECEIPT",
  does: "Checks a receipt with nothing but the log's public key. It needs no relay and no data folder.",
  options: { key: { type: "string" } },
  explains: { key: "the verifier key, as `sampai log key` prints it" },
  run: (input) => {
    const [file] = input.positionals;
    if (file === undefined) throw new BadUsage("The receipt's file is needed.");
    const verifier = readVerifier(required(input, "key"));
    if (!verifier.ok) throw new BadUsage(`--key: ${verifier.error.detail}.`);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      throw new BadUsage(`${file} cannot be read.`);
    }
    const checked = checkReceipt(text, verifier.value);
    if (!checked.ok) {
      process.stderr.write(`${checked.error.code}: this receipt proves nothing: ${checked.error.detail}.\n`);
      return Promise.resolve(1);
    }
    const [, term, position, type, device, run, seq, hash, received] = checked.value.record.split("\n");
    const { checkpoint } = checked.value;
    print(
      `The receipt is sound: position ${position} of ${checkpoint.origin} is ${type} ${seq} of run ${run}, device ${device}.`,
    );
    print(`SHA-256 of its bytes: ${hash}`);
    print(`Received ${received} in term ${term}; covered by the signed checkpoint over ${checkpoint.size} leaves.`);
    return Promise.resolve(0);
  },
};
