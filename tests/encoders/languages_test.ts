import { equal, match } from "node:assert/strict";
import { languageRemark, looksEnglish } from "#lib/encoders/languages.ts";

const lines = (text: string) => text.trim().split("\n");

Deno.test("texts in other languages and scripts do not look English", () => {
  for (
    const text of lines(`
ein roter Apfel
Ein Hund an der Leine
Hund am Strand
der Hund
Hund
Sonnenaufgang
Schmetterling
Wasserfall
schöne Landschaft
Frau im Garten
Zwei Katzen im Schnee
Fahrrad
un chat noir
des fleurs dans un vase
une femme avec un parapluie
Une voiture rouge
perro
Perro
mariposa
gatito durmiendo
niña
un perro en la playa
flores amarillas
casa verde
cane sulla spiaggia
farfalla
tramonto
un gatto
um cachorro na praia
gato preto
een hond op het strand
hund på stranden
et rødt eple
fjäril
solnedgang
pies na plaży
motyl
dziewczyna
crvena jabuka
kırmızı elma
uçak
tôi có một con chó
quả táo đỏ
máy bay
matahari terbenam
rautt epli
úll dearg
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
do no harm
do not enter, no parking sign
no dogs do
I like pies
most pies
letters x y z w
cowboy boot, rode horse
folk art barn
sugar cane, dover sole
strand boot
Labrador retriever
café
cafe\u0301
café au lait
chocolate gâteau
petite café
über cool
fromage frais
piñata
crème brûlée
pâté, rosé, éclairs, a soufflé, crêpes
phở
déjà vu
jalapeño
škoda
dvořák symphony
São Paulo
Champs-Élysées
La La Land
Los Angeles
Los Angeles, Las Vegas
los angeles, las vegas
Los Gatos
Mar-a-Lago
Mission Viejo
mission viejo
Casa Verde
Villa Bianca
Bianca Jagger
bianca jagger
Ina Garten
ina garten
L. Frank Baum
Tisch School
Ciudad Juárez
ciudad juárez
Lago di Como
Ouro Preto
ouro preto
Jardin des Tuileries
Cirque du Soleil
cirque du soleil
Pont du Gard
pont du gard
Playa del Carmen
Place de la Concorde
Notre Dame de Paris
Leonardo da Vinci
Vincent van Gogh in Arles
film noir
femme fatale
fleur de lis
moulin rouge
pinot noir
Grüner Veltliner
Karl-Marx-Straße
Museum für Naturkunde
sturm und drang
uma thurman
Sulla
lion on a kopje
farfalle with pesto
bambino
Die Hard
Kinder egg
El Niño
a man who rode the boat
a perro
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
    languageRemark({ name: "my-clip/q8", languages }, text);
  match(remark(["en"])!, /^This encoder, my-clip, knows English only: /);
  equal(remark(["en"], "a red apple"), undefined);
  equal(remark(["en", "de"]), undefined);
  equal(remark(), undefined);
});
