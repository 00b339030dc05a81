import { daySentence, dayWords } from "@sampai/engine";
import type { CertificateReason, DayCertificate, DayStanding } from "@sampai/engine/wire";
import type { Sql } from "../database/sql.ts";
import { decide, LATE_WAIT_MS, stateDay } from "./certificate.ts";
import { readDay, type DayKey } from "./day-facts.ts";
import { certificatesOf } from "./stored-certificates.ts";

/** One person's day as it stands now, beside what was certified of it. */
export interface DayView {
  readonly rep: string;
  readonly day: string;
  readonly zone: string;
  /** `open`: not closed. `reopened`: events came after its last close; it may be closed again. */
  readonly state: "open" | "closed" | "reopened";
  readonly sentence: string;
  /** Bytes of its events were removed by a decision: `now` is what the certificate says, where there is one. */
  readonly expired: boolean;
  /** Why a certificate, or another one, is to be issued; null: what holds says what is so, or none is to come. */
  readonly awaits: CertificateReason | null;
  readonly now: {
    readonly standing: DayStanding;
    readonly events: DayCertificate["events"];
    readonly photos: DayCertificate["photos"];
    readonly missing: DayCertificate["missing"];
    readonly holes: DayCertificate["holes"];
    readonly except: DayCertificate["except"];
    /** Events since the last close. */
    readonly reopened: number;
  };
  /** The one that holds, as it was signed; the phone and anyone with the root key can check it. */
  readonly certificate: {
    readonly text: string;
    /** Hexadecimal, by the workspace's root key over `sampai.day.v1`. */
    readonly signature: string;
    readonly position: number;
    readonly says: DayCertificate;
  } | null;
  /** How it came to be, oldest first. */
  readonly issued: readonly {
    readonly number: number;
    readonly at: string;
    readonly reason: CertificateReason;
    readonly standing: DayStanding;
    readonly position: number;
  }[];
}

export function viewDay(sql: Sql, key: DayKey): DayView {
  const { rep, zone } = key;
  const day = filedUnder(sql, key) ?? key.day;
  const facts = readDay(sql, { rep, day, zone });
  const { expired } = facts;
  const certificates = certificatesOf(sql, rep, day);
  const held = certificates.at(-1) ?? null;
  const now = expired && held !== null ? held.certificate : stateDay(day, facts);
  const isReopened = facts.reopened > 0 && !expired;
  const state = facts.closes.length === 0 ? "open" : isReopened ? "reopened" : "closed";
  const decision = expired ? null : decide(held?.certificate ?? null, now, LATE_WAIT_MS);
  const spoken = { ...now, rep, day, zone };
  return {
    rep,
    day,
    zone,
    state,
    sentence:
      expired && held === null && state === "closed" ? goneSentence(spoken) : sentenceOf(spoken, state, facts.reopened),
    expired,
    awaits: decision?.act === "issue" ? decision.reason : null,
    now: {
      standing: now.standing,
      events: now.events,
      photos: now.photos,
      missing: now.missing,
      holes: now.holes,
      except: now.except,
      reopened: facts.reopened,
    },
    certificate:
      held === null
        ? null
        : {
            text: held.text,
            signature: Buffer.from(held.signature).toString("hex"),
            position: held.position,
            says: held.certificate,
          },
    issued: certificates.map(({ certificate, position }) => ({
      number: certificate.number,
      at: certificate.issuedAt,
      reason: certificate.reason,
      standing: certificate.standing,
      position,
    })),
  };
}

/** A close may name a day that cannot be; whoever asks for that name is shown the day that it was filed under. */
function filedUnder(sql: Sql, { rep, day }: DayKey): string | undefined {
  const direct = sql(
    "select 1 from day_close join device on device.device = day_close.device where person = ? and filed = ? limit 1",
  ).get(rep, day);
  if (direct !== undefined) return day;
  const named = sql(
    `select filed from day_close join device on device.device = day_close.device
       where person = ? and day = ? and filed is not null order by position desc limit 1`,
  ).get(rep, day) as { filed: string } | undefined;
  return named?.filed;
}

type Spoken = Parameters<typeof daySentence>[0];

function sentenceOf(spoken: Spoken, state: DayView["state"], reopened: number): string {
  const { rep, day, events } = spoken;
  if (state === "open") {
    const owed = events.declared - events.here;
    const more = owed > 0 ? `, ${owed} more announced` : "";
    return `${rep}, ${dayWords(day)}: not closed. ${countedEvents(events.here)} here${more}.`;
  }
  const sentence = daySentence(spoken);
  return state === "reopened" ? `${sentence} Reopened: ${countedEvents(reopened)} since its last close.` : sentence;
}

function goneSentence({ rep, day }: Spoken): string {
  return `${rep}, ${dayWords(day)}: closed, and what was kept of it was removed before it was certified.`;
}

const countedEvents = (events: number) => `${events} ${events === 1 ? "event" : "events"}`;
