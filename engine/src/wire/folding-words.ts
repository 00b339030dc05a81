import { utf8ToBytes } from "../core/hash.ts";

// What messages, claims, events and documents say again and again. The last ones are the cheapest to point at.
const TEXT = [
  // Field names of store masters as Automerge's key columns have them: a length, then the name, in code unit order.
  "\u0007address\u0007answers\u0007channel\u000bcontactName\u000ccontactPhone\u000bcontactRole\u0011coordinatesSource",
  "\u000acreditHold\u000ecreditLimitSen\u000fcreditTermsDays\u0007facings\u0006hqCode\u0003key\u0004kind",
  "\u000aknownSince\u000blastVisitAt\u0003lat\u0006listed\u0003lon\u0004name\u0005notes\u000copeningHours\u0008ownerRep",
  "\u0008parStock\u0008postcode\u0008priceSen\u0012registrationNumber\u0005state\u0006status\u000astockCount",
  "\u0009successor\u0004tags\u000ctemporaryKey\u0009territory\u0004town\u0011uncertaintyMeters\u000avisitCount",
  "\u0003fri\u0003mon\u0003sat\u0003sun\u0003thu\u0003tue\u0003wed",
  'prospectdormantclosedactivestore{"by":"R","role":"supervisor","device":"{"by":"R","role":"rep","device":"',
  // Events.
  '{"v":1,"id":"019","kind":"order.placed.v1","workspace":"w-","device":"","run":"","seq":2,"prev":"","rep":"R',
  '","visit":"019","store":"S-","at":"2026-11-23T07:15:14.123Z","offset":480,"zone":"Asia/Kuala_Lumpur",',
  '"clock":{"tick":,"boot":"","anchor":{"tick":,"at":"2026-"},"wall":"2026-"},"place":{"lat":3.,"lon":101.,',
  '"accuracy":,"age":,"provider":"gps","mock":false},"seen":{"pack":1,"store":[""]},"body":{"lines":[{"sku":"",',
  '"quantity":1,"unit":"","unitPriceSen":,"scheme":null},{"sku":"","quantity":1,"unit":"","unitPriceSen":,',
  '"scheme":null}],"totalSen":,"creditLimitSen":null,"deliverOn":null,"note":""}}',
  // Messages: CBOR writes the length of a name as a letter before it.
  "dtypefappendan\u0001crunfeventsdprevcseqebytesdtypedpushddocdkindestoreckeyepieceedtypehappendedgaanswers",
  "dhashfanswerfplacedhpositiondtermgpromiseestartdsizecmacdtypegchangeseitemshsnapshoteleavefcursor",
  "hpositionescopedmoredtypegclaimedan\u0001dtermrl1:batx\u00182026-dtipsewantseholesdgiveeheaddpacketerms",
  "dtermestartcendfbackupjcheckpointdnotedfromkconsistency",
  "dtypeeclaimeclaimisignatureX@",
  // Claims.
  '{"v":1,"workspace":"w-","device":"","at":"2026-","tips":[{"run":"","seq":,"hash":""}],"damaged":0,"acks":[',
  '{"term":"1:","position":}],"evidence":{"checkpoints":["sampai.log/w-/1:\\n\\n\\n— sampai.log/w- "],"promises":[',
  '{"term":"1:","start":"","size":,"mac":""}]},"queue":{"events":0,"orders":0,"oldestAt":null,"documents":0,',
  '"photos":0,"photoBytes":0},"photosOwed":[],"dirty":[],"cursor":{"term":"1:","position":,"scope":},"pack":null,',
  '"attempts":[{"number":,"at":"2026-","lane":"facts","bytes":,"outcome":"acknowledged","tookMs":},',
  '{"number":,"at":"2026-","lane":"link","bytes":0,"outcome":"lost","tookMs":},',
  '{"number":,"at":"2026-","lane":"link","bytes":0,"outcome":"opened","tookMs":}],',
  '"spent":{"day":"2026-","sentBytes":,"receivedBytes":},"app":"sampai-phone 0.1.0"}',
].join("");

/** The number under which a folded frame names these words. Other words are another number. */
export const FOLDING_WORDS = 1;

/**
 * The preset dictionary of folded frames (RFC 1951 allows a window that both sides fill beforehand), in UTF-8. A claim
 * of a kilobyte is mostly names: with them known it folds to its keys, hashes and signatures. Constant for ever, and
 * published as `conformance/vectors/folding-words.json`.
 */
export const foldingWords: Uint8Array = utf8ToBytes(TEXT);
