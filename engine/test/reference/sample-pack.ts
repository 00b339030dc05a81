import { ed25519 } from "@noble/curves/ed25519.js";
import { createNodeCrypto } from "../../adapters/node-crypto.ts";
import { bytesToHex, type Crypto, type Pack } from "../../src/index.ts";

export const crypto: Crypto = createNodeCrypto();
export const rootSecretKey = new Uint8Array(32).fill(7);
export const rootKey = bytesToHex(ed25519.getPublicKey(rootSecretKey));

export function samplePack(number: number, change: Partial<Pack> = {}): Pack {
  return {
    v: 1,
    workspace: "demo",
    number,
    issuedAt: "2026-11-23T00:00:00.000Z",
    zone: "Asia/Kuala_Lumpur",
    goods: [
      {
        sku: "910",
        name: "Rose cordial",
        unit: "2 liter",
        group: "Drinks",
        category: "Cordial",
        priceSen: 1_100,
        priceMadeUp: true,
      },
      {
        sku: "1",
        name: "Chicken",
        unit: "1kg",
        group: "Fresh",
        category: "Chicken",
        priceSen: 869,
        priceMadeUp: false,
        maxQuantity: 50,
      },
    ],
    schemes: [
      { scheme: "BULK-12", sku: "910", fromQuantity: 12, unitPriceSen: 1_050, from: "2026-01-01", to: "2026-11-23" },
      { scheme: "BULK-48", sku: "910", fromQuantity: 48, unitPriceSen: 1_000, from: "2026-01-01", to: "2026-12-31" },
    ],
    forms: [
      {
        form: "shelf",
        version: 1,
        title: { en: "Shelf audit", ms: "Audit rak" },
        questions: [
          { id: "facings", label: { en: "Facings", ms: "Muka" }, type: "integer", options: [], required: true },
          {
            id: "promo",
            label: { en: "Promotion", ms: "Promosi" },
            type: "choice",
            options: [{ value: "none", label: { en: "None", ms: "Tiada" } }],
            required: false,
          },
        ],
      },
    ],
    people: [
      { code: "R012", name: "Ravi", role: "rep", territories: ["NS-KP"] },
      { code: "H001", name: "Amir", role: "hq", territories: ["*"] },
    ],
    territories: [{ code: "NS-KP", name: "Kuala Pilah" }],
    holidays: [],
    rules: { conflicts: {}, consequences: { "credit-limit": "hold-order" } },
    photo: {
      longestEdge: 1_600,
      quality: 80,
      previewEdge: 320,
      originalsOnWifiOnly: false,
      mobileBytesPerDay: 20_000_000,
    },
    ...change,
  };
}
