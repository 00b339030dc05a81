import { closeSync, openSync, readSync } from "node:fs";
import { readEvent } from "@sampai/engine";
import { bytesToHex, sha256Bytes } from "@sampai/engine/core";
import { readVerifier } from "@sampai/engine/proof";
import { checkReceipt, RECEIPT_BYTES } from "../proof/receipt.ts";
import { BadUsage, optional, required, type Command, type ExitCode } from "./command.ts";
import { print } from "./print.ts";

/** More than any row of a log has. */
const EVENT_BYTES = 1_048_576;

export const logCheck: Command = {
  name: "log check",
  positionals: "RECEIPT",
  does: "Checks a receipt with nothing but the log's public key. It needs no relay and no data folder.",
  options: { key: { type: "string" }, event: { type: "string" } },
  explains: {
    key: "the verifier key, as `sampai log key` prints it",
    event: "the event's bytes as `sampai log prove ID --event FILE` writes them: are they the ones of the receipt?",
  },
  more: [
    "A receipt proves an event by the SHA-256 of its stored bytes, and holds neither them nor the offline id in them. To",
    "compare by hand: sha256sum FILE. `sampai log export` shows the same hash beside each row, what it says, and its flags:",
    "  late, branch, fork  how it came: into a declared hole, beside another of its number, in a run beside another run",
    "  opaque, schema      its bytes cannot be read, or do not fit their kind",
    "  mismatch            they say another device, run or number than it was signed for, or the number does not follow",
    "  id-reused           another event of the log has its offline id",
  ].join("\n"),
  run: (input) => {
    const [file] = input.positionals;
    if (file === undefined) throw new BadUsage("The receipt's file is needed.");
    const verifier = readVerifier(required(input, "key"));
    if (!verifier.ok) throw new BadUsage(`--key: ${verifier.error.detail}.`);
    const event = optional(input, "event");
    const bytes = event === undefined ? undefined : readUpTo(event, EVENT_BYTES);
    const checked = checkReceipt(new TextDecoder().decode(readUpTo(file, RECEIPT_BYTES)), verifier.value);
    if (!checked.ok) {
      process.stderr.write(`${checked.error.code}: this receipt proves nothing: ${checked.error.detail}.\n`);
      return Promise.resolve(1);
    }
    const [, term, position, type, device, run, seq, hash, received, flags] = checked.value.record.split("\n");
    const { checkpoint } = checked.value;
    print(
      `The receipt is sound: position ${position} of ${checkpoint.origin} is ${type} ${seq} of run ${run}, device ${device}.`,
    );
    print(`SHA-256 of its bytes: ${hash}`);
    print(flags ? `Flags: ${flags.replaceAll(",", ", ")}.` : "No flags.");
    print(`Received ${received} in term ${term}; covered by the signed checkpoint over ${checkpoint.size} leaves.`);
    return Promise.resolve(bytes === undefined ? 0 : compare(bytes, hash ?? ""));
  },
};

function compare(bytes: Uint8Array, hash: string): ExitCode {
  if (bytesToHex(sha256Bytes(bytes)) !== hash) {
    process.stderr.write("These are not the receipt's bytes: their SHA-256 is another one.\n");
    return 1;
  }
  const read = readEvent(bytes);
  print(
    `These are its bytes. ${read.ok ? `Offline id: ${read.value.id}.` : "They have no offline id that can be read."}`,
  );
  return 0;
}

/** A file that cannot be what it is taken for is not read to its end. */
function readUpTo(file: string, most: number): Uint8Array {
  let open: number;
  try {
    open = openSync(file, "r");
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= most; length += read)
      read = readSync(open, bytes, length, bytes.length - length, null);
    if (length > most) throw new BadUsage(`${file} is larger than ${most} bytes: it is not what it is taken for.`);
    return bytes.subarray(0, length);
  } catch (error) {
    throw error instanceof BadUsage ? error : unreadable(file, error);
  } finally {
    closeSync(open);
  }
}

const unreadable = (file: string, error: unknown) =>
  new BadUsage(`${file} cannot be read: ${String((error as NodeJS.ErrnoException).code)}.`);
