import { equal, match } from "node:assert/strict";
import { languageRemark, looksEnglish } from "#lib/encoders/languages.ts";

const lines = (text: string) => text.trim().split("\n");

Deno.test("texts in other languages and scripts do not look English", () => {
  for (
    const text of lines(`
ein roter Apfel
Hund am Strand
der Hund
Zwei Katzen im Schnee
Fahrrad
un chat noir
des fleurs dans un vase
une femme avec un parapluie
perro
un perro en la playa
flores amarillas
cane sulla spiaggia
un gatto
um cachorro na praia
een hond op het strand
hund på stranden
pies na plaży
kırmızı elma
tôi có một con chó
犬
赤いりんご
红苹果
a photo of 東京
собака на пляже
تفاحة حمراء
כלב
κόκκινο μήλο
빨간 사과
लाल सेब
หมา`)
  ) equal(looksEnglish(text), false, text);
});

Deno.test("English with names, loan words, symbols and no words at all looks English", () => {
  for (
    const text of lines(`
a red apple
sunset
Labrador retriever
café
cafe\u0301
piñata
crème brûlée
déjà vu
jalapeño
São Paulo
Champs-Élysées
La La Land
Los Angeles
Playa del Carmen
Place de la Concorde
Notre Dame de Paris
Leonardo da Vinci
Vincent van Gogh in Arles
film noir
femme fatale
fleur de lis
moulin rouge
Die Hard
Kinder egg
El Niño
a man who rode the boat
α-helix
5 µm
Ω
IMG_2041
42
😀`)
  ) equal(looksEnglish(text), true, text);
  equal(looksEnglish(""), true);
});

Deno.test("a remark is made where an encoder knows English only, and nothing else", () => {
  const remark = (languages?: string[], text = "ein roter Apfel") =>
    languageRemark({ id: "my-clip/q8", languages }, text);
  match(remark(["en"])!, /^This encoder, my-clip, knows English only: /);
  equal(remark(["en"], "a red apple"), undefined);
  equal(remark(["en", "de"]), undefined);
  equal(remark(), undefined);
});
