/**
 * Whether an encoder knows a text's language.
 *
 * CLIP and the offline encoder learned from English captions: to "ein roter
 * Apfel" they find something, and seldom apples. The reader is told, beside the
 * results and not in their place, since the guess may be wrong.
 *
 * Another script is seen for certain. Between languages of Latin letters a
 * query is too short for statistics of letters: of four detectors tried, each
 * took "a red apple", "sunset" or "Labrador retriever" for another language. So
 * it is words that tell: those that stand in many a query and are no English
 * words, and none of the names and loan words of English.
 *
 * Touches no files and no network.
 *
 * ```ts
 * import { languageRemark } from "#lib/encoders/languages.ts";
 * import { equal, match } from "node:assert/strict";
 *
 * const encoder = { id: "offline", languages: ["en"] };
 * match(languageRemark(encoder, "ein roter Apfel")!, /^This encoder, offline, knows English only/);
 * equal(languageRemark(encoder, "crème brûlée in a café"), undefined);
 * ```
 *
 * @module
 */
import type { Encoder } from "./encoder.ts";

/**
 * One line for the reader, if the encoder knows English only and the text does
 * not look English; else undefined.
 */
export function languageRemark(
  { id, languages }: Pick<Encoder, "id" | "languages">,
  text: string,
): string | undefined {
  const isEnglishOnly = languages?.join() === "en";
  if (!isEnglishOnly || looksEnglish(text)) return undefined;
  const [name] = id.split("/");
  return `This encoder, ${name}, knows English only: what it finds for words of ` +
    "another language is mostly chance";
}

/** Words of English that others do not have: a text with one is English. */
const ENGLISH = new Set(
  "an the of and with at from by is are to for his her this that".split(" "),
);

/**
 * Words of other languages: those of which one is enough, and those that are
 * English too, or in names that English has, of which it takes two.
 */
const WORDS: Record<string, [sure: string, perhaps: string]> = {
  de: [
    "ein eine einen einem einer und auf für über ist nicht zwei drei vor hunde " +
    "katze katzen baum bäume haus häuser blume blumen wald fahrrad frau mädchen " +
    "apfel äpfel roter rotes grün grüner grüne grünes blaue blauer weiß weiße " +
    "weißer schwarze schwarzer gelbe gelber himmel sonnenuntergang schnee " +
    "straße brücke pferd kuh fisch tisch stuhl",
    "der die das dem den im mit hund vogel strand meer berg mann kind kinder " +
    "junge rot rote blau schwarz gelb sonne wasser stadt essen brot",
  ],
  fr: [
    "une dans avec deux chien chiens chienne oiseau arbre plage forêt montagne " +
    "montagnes voiture vélo garçon noire jaune ciel soleil neige vache verte " +
    "bleue gâteau",
    "le les un des du au aux et sur sous sans est chat chats maison fleur " +
    "fleurs femme homme enfant enfants fille pomme rouge vert bleu noir blanc " +
    "blanche eau rue ville pont cheval poisson trois",
  ],
  es: [
    "una perro perros perra gato gatos gata árbol árboles coche mujer " +
    "niños manzana rojo roja rojos azul negra cielo nieve ciudad puente " +
    "caballo pájaro pez perrito",
    "el los las un hombre con sobre para y playa flor flores casa niña verde negro " +
    "blanco amarillo amarillas sol agua calle vaca montaña",
  ],
  it: [
    "una sulla sulle nella delle gli gatto gatti gatta albero alberi spiaggia " +
    "macchina uomo ragazza ragazzo rossa cielo neve città cavallo uccello " +
    "pesce mela bianca nera gialla",
    "un il lo di sul nel della con cane cani fiore fiori donna bambino bambini " +
    "rosso rossi verde azzurro nero bianco giallo sole acqua strada ponte mare",
  ],
  pt: [
    "uma cachorro cachorros cão gato gatos praia árvore carro mulher homem " +
    "menino menina vermelho vermelha azul preto amarelo céu neve rua cidade " +
    "cavalo pássaro peixe maçã",
    "um com na em dos das flor flores casa verde branco sol ponte",
  ],
  nl: [
    "een het niet hond honden huis bloemen fiets vrouw jongen meisje appel " +
    "groene blauwe zwarte gele zonsondergang sneeuw straat paard koe",
    "de op met en kat vogel bloem strand zon stad brug lucht witte rode",
  ],
  sv: [
    "på och är röd rød ett stranden träd trä blomma katten hunden kvinna " +
    "kvinde pojke flicka äpple",
    "en med og hund hunde katt bil hus mand barn av",
  ],
  pl: [
    "się kot samochód czerwony czerwone czerwona drzewo kwiat kwiaty " +
    "plaży plaża kobieta mężczyzna dziecko zielony niebieski czarny biały " +
    "niebo słońce śnieg ulica miasto koń krowa ptak ryba jabłko",
    "na w z i jest pies dom most woda",
  ],
  tr: [
    "bir kedi köpek kırmızı araba ağaç çiçek kadın çocuk mavi yeşil siyah " +
    "beyaz güneş deniz elma",
    "ve ev adam",
  ],
  others: [
    "koira kissa punainen kutya macska piros kočka červené câine pisică " +
    "anjing kucing merah",
    "",
  ],
};

const LISTS = Object.values(WORDS).map(([sure, perhaps]) => ({
  sure: new Set(sure.split(" ")),
  perhaps: new Set(perhaps.split(" ")),
}));

/** Whether nothing in a text says that it is in another language than English. */
export function looksEnglish(text: string): boolean {
  // A Greek letter alone is a symbol, as in "α-helix"; 犬 alone is a dog.
  const foreign =
    /(?!\p{Script=Latin}|\p{Script=Greek}|\p{Script=Common})\p{L}|\p{Script=Greek}{2}/u;
  if (foreign.test(text)) return false;

  const words = text.normalize("NFC").toLowerCase().match(/\p{L}+/gu) ?? [];
  if (words.some((word) => ENGLISH.has(word))) return true;
  if (words.filter((word) => /[^a-z]/.test(word)).length > 2) return false;
  const distinct = [...new Set(words)];
  return !LISTS.some(({ sure, perhaps }) =>
    distinct.some((word) => sure.has(word)) ||
    distinct.filter((word) => perhaps.has(word)).length > 1
  );
}
