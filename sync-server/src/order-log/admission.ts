import type { AdmissionState, PlacedCandidate } from "./admit.ts";
import { contentOf, type Content } from "./content.ts";
import type { LeafFlag } from "./log.ts";
import type { DeviceLog, LogTransaction } from "./log-transaction.ts";

/** What the rules of admission run on for one batch of one device. */
export interface Admission {
  readonly state: AdmissionState;
  /** Read once for each event. */
  contentOf(event: PlacedCandidate): Content;
}

/**
 * A device's log with what is noted of each placed event: its flags, the close of a day, and a row in the trail, also for
 * one that waited behind a gap. `batch.via` says what brought the events with these hashes.
 */
export function admissionOf(
  log: LogTransaction,
  device: DeviceLog,
  batch: { readonly via: string; readonly hashes: ReadonlySet<string> },
): Admission {
  const contents = new Map<string, Content>();
  const content = (event: PlacedCandidate): Content => {
    const known = contents.get(event.hash) ?? contentOf(device.device, event);
    contents.set(event.hash, known);
    return known;
  };
  const place: AdmissionState["place"] = (event, placeFlags) => {
    const { id, kind, flags: contentFlags, close } = content(event);
    const { run, seq, prev, hash } = event;
    const flags: LeafFlag[] = [
      ...placeFlags,
      ...(seq === 1 && prev !== null && device.isFollowed(prev) ? (["fork"] as const) : []),
      ...contentFlags,
      ...(contentFlags.includes("mismatch") || device.numbersOn(event) ? [] : (["mismatch"] as const)),
      ...(id !== null && log.hasId(id) ? (["id-reused"] as const) : []),
    ];
    const position = device.place(event, { id, flags });
    if (close !== null) log.noteClose({ device: device.device, run, seq, hash, position, close });
    log.note({
      topic: "admission",
      device: device.device,
      item: id ?? hash,
      detail: {
        answer: flags.includes("branch") ? "branch" : "placed",
        position,
        run,
        seq,
        via: batch.hashes.has(hash) ? batch.via : "release",
        ...(kind === null ? {} : { kind }),
        ...(flags.length === 0 ? {} : { flags }),
      },
    });
    return position;
  };
  return { state: { ...device, place }, contentOf: content };
}
