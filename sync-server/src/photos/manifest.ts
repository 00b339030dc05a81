import type { Claim } from "@sampai/engine/wire";
import { msFromUtc } from "@sampai/engine/core";
import { capturedBody, type PhotoFactRow } from "./operations.ts";
import type { PhotoRoom } from "./room.ts";
import { notAdmission } from "../trail/reader.ts";

const PAGE = 500;
/** A claim lists no more than this; beyond it silence about a photo means nothing. */
const CLAIM_LISTS = 1_000;
const NEWEST = 200;

/**
 * `owed`: on the phone, or not told otherwise. `lost`: the phone said that its file is gone or damaged. `refused`: it was
 * not taken here, and the phone no longer offers it. `dropped`: the phone was heard after the event and no longer speaks
 * of it, so it was deleted there. `revoked`: lost with the phone, which was revoked before the photo came. `expired`: it
 * was at HQ, and a decision in the log removed its bytes.
 */
export type ManifestState = "at-hq" | "preview-at-hq" | "owed" | "expired" | (typeof neverComes)[number];

const neverComes = ["lost", "refused", "dropped", "revoked"] as const;
/** Why a photo will not come, as the sentence says it after its number. */
const gone: Readonly<Record<(typeof neverComes)[number], string>> = {
  lost: "damaged on the phone",
  refused: "refused here",
  dropped: "deleted on the phone",
  revoked: "lost with the phone",
};

export interface PhotoManifest {
  readonly captured: number;
  readonly atHq: number;
  readonly owed: number;
  readonly owedBytes: number;
  /** What will never come: damaged or deleted on the phone, refused here, or lost with the phone. */
  readonly lost: number;
  /** What was here and was removed by a decision. */
  readonly expired: number;
  /** RFC 3339 UTC when a device that took one of them was last heard, null for never. */
  readonly lastHeard: string | null;
  /** Such as "3 of 5 at HQ, 2 owed, 1.4 MB, last heard 09:12", or "No photo was taken." */
  readonly sentence: string;
  readonly photos: readonly {
    readonly id: string;
    readonly visit: string | null;
    readonly store: string | null;
    readonly person: string;
    readonly purpose: string;
    readonly at: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly state: ManifestState;
    /** Whether a preview can be shown. */
    readonly preview: boolean;
  }[];
}

interface ManifestRow extends PhotoFactRow {
  readonly original: string | null;
  readonly preview: string | null;
  readonly heard: string | null;
  readonly claim: string | null;
  readonly revoked: string | null;
  readonly expired: number;
  readonly refused: number;
}

export interface Manifests {
  /** What is owed of a visit's photos, of the people that `seen` allows. */
  ofVisit(visit: string, seen: (person: string) => boolean): Promise<PhotoManifest>;
  /** The newest 200 photos of a person. */
  ofPerson(person: string): Promise<PhotoManifest>;
}

/** Joins what events promised, what arrived, and what the phones said on their last contact. */
export function createManifests(room: Pick<PhotoRoom, "db" | "writer" | "zone">): Manifests {
  const { db, writer, zone } = room;
  const columns = `f.*, o.arrived as original, p.arrived as preview, c.at as heard, c.claim as claim, d.revoked as revoked,
      o.blob in (select blob from expired_photo) as expired,
      exists (select 1 from trail t where t.item = f.photo and ${notAdmission} and t.topic = 'photo.refused' and t.detail ->> 'part' = 'original') as refused
    from photo_fact f
    left join photo o on o.photo = f.photo and o.part = 'original'
    left join photo p on p.photo = f.photo and p.part = 'preview'
    left join contact c on c.device = f.device
    left join device d on d.device = f.device`;
  const ofVisit = db.prepare(`select ${columns} where f.visit = ? order by f.photo limit 1000`);
  const ofPerson = db.prepare(`select ${columns} where f.person = ? order by f.photo desc limit ${NEWEST}`);
  const cursor = db.prepare("select coalesce(max(position), 0) as position from photo_index");
  const logHead = db.prepare("select coalesce(max(position) + 1, 0) as head from log");
  const page = db.prepare(
    `select position, device, received, bytes from log
     where position >= ? and position < ? and type = 'event' and instr(bytes, cast('photo.captured.v1' as blob)) > 0`,
  );

  /** Takes in what the order log gained: a page at a time, each durable with its place. */
  const catchUp = async () => {
    let { position } = cursor.get() as { position: number };
    const { head } = logHead.get() as { head: number };
    while (position < head) {
      const to = Math.min(head, position + PAGE);
      const leaves = page.all(position, to) as { device: string; received: string; bytes: Uint8Array }[];
      const rows = leaves.flatMap(({ device, received, bytes }) => {
        const captured = capturedBody(bytes);
        if (captured === null) return [];
        const { id: photo, visit, store, at, body } = captured;
        return [
          { photo, visit, store, at, device, received, sha256: body.sha256, bytes: body.bytes, purpose: body.purpose },
        ];
      });
      await writer.run("photoFacts", { position: to, rows });
      position = to;
    }
  };
  let catchingUp: Promise<void> = Promise.resolve();
  const caughtUp = () => {
    catchingUp = catchingUp.catch(() => undefined).then(catchUp);
    return catchingUp;
  };

  return {
    ofVisit: async (visit, seen) => {
      await caughtUp();
      const rows = ofVisit.all(visit) as unknown as ManifestRow[];
      return manifestOf(
        rows.filter(({ person }) => seen(person)),
        zone,
      );
    },
    ofPerson: async (person) => {
      await caughtUp();
      return manifestOf((ofPerson.all(person) as unknown as ManifestRow[]).reverse(), zone);
    },
  };
}

function manifestOf(rows: readonly ManifestRow[], zone: string): PhotoManifest {
  const claims = new Map<string, Claim["photosOwed"]>();
  const photos = rows.map((row) => {
    const owed = claims.get(row.device) ?? photosOwedIn(row.claim);
    claims.set(row.device, owed);
    const { photo: id, visit, store, person, purpose, at, sha256, bytes } = row;
    return {
      id,
      visit,
      store,
      person,
      purpose,
      at,
      sha256,
      bytes,
      state: stateOf(row, owed),
      preview: row.expired !== 1 && (row.preview !== null || row.original !== null),
    };
  });
  const count = (state: ManifestState) => photos.filter((photo) => photo.state === state).length;
  const atHq = count("at-hq");
  const owed = photos.filter(({ state }) => state === "owed" || state === "preview-at-hq");
  const owedBytes = owed.reduce((sum, { bytes }) => sum + bytes, 0);
  const lost = neverComes.reduce((sum, state) => sum + count(state), 0);
  const lastHeard = rows.reduce<string | null>(
    (last, { heard }) => (heard !== null && heard > (last ?? "") ? heard : last),
    null,
  );
  const said = {
    captured: photos.length,
    atHq,
    owed: owed.length,
    owedBytes,
    lost,
    expired: count("expired"),
    lastHeard,
  };
  return { ...said, sentence: sentenceOf(said, count, zone), photos };
}

function stateOf(row: ManifestRow, owed: Claim["photosOwed"]): ManifestState {
  if (row.original !== null) return row.expired === 1 ? "expired" : "at-hq";
  const claimed = owed.find(({ id }) => id === row.photo);
  if (claimed?.lost === true) return "lost";
  if (row.revoked !== null) return "revoked";
  const heardSince = row.heard !== null && msFromUtc(row.heard) > msFromUtc(row.received);
  if (claimed === undefined && heardSince && owed.length < CLAIM_LISTS)
    return row.refused === 1 ? "refused" : "dropped";
  return row.preview === null ? "owed" : "preview-at-hq";
}

function photosOwedIn(claim: string | null): Claim["photosOwed"] {
  if (claim === null) return [];
  return (JSON.parse(claim) as Claim).photosOwed;
}

function sentenceOf(
  said: Omit<PhotoManifest, "sentence" | "photos">,
  count: (state: ManifestState) => number,
  zone: string,
): string {
  if (said.captured === 0) return "No photo was taken.";
  const parts = [`${said.atHq} of ${said.captured} at HQ`];
  if (said.owed > 0) parts.push(`${said.owed} owed`, `${(said.owedBytes / 1_000_000).toFixed(1)} MB`);
  for (const state of neverComes) if (count(state) > 0) parts.push(`${count(state)} ${gone[state]}`);
  if (said.expired > 0) parts.push(`${said.expired} removed by a decision`);
  if (said.owed > 0 && said.lastHeard !== null) {
    const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    parts.push(`last heard ${time.format(msFromUtc(said.lastHeard))}`);
  }
  return parts.join(", ");
}
