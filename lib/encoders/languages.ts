/**
 * Whether an encoder knows a text's language.
 *
 * CLIP and the offline encoder learned from English captions: to "ein roter
 * Apfel" they find something, and seldom apples. The reader is told, beside the
 * results and not in their place, since the guess may be wrong.
 *
 * Another script is seen for certain. Between languages of Latin letters a
 * query is too short for statistics of letters: of four detectors tried, each
 * took "red car", "sunset" or "a red apple" for another language. So it is words
 * that tell: those that stand in many a query and are no English words, and none
 * of the names and loan words of English.
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
    "another language may not fit them";
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
    "ein eine einen einem einer und auf für über ist nicht zwei drei vor " +
    "unter neben zwischen hunde katze katzen baum bäume haus häuser blume " +
    "blumen wald fahrrad frau frauen mädchen junge menschen leute mensch " +
    "apfel äpfel roter rotes grün grüner grüne grünes blaue blauer weiß " +
    "weiße weißer schwarze schwarzer gelbe gelber alte altes kleiner " +
    "kleine großer große himmel sonnenuntergang schnee straße brücke pferd " +
    "kuh fisch tisch stuhl berge fluss nebel garten nacht buch bücher " +
    "schiff kaffee tasse frühstück zeitung spielt läuft sitzt",
    "der die das dem den im mit hund vogel strand meer berg mann kind " +
    "kinder rot rote blau schwarz gelb sonne wasser stadt essen brot alter kuchen",
  ],
  fr: [
    "une dans avec deux chien chiens chienne oiseau arbre plage forêt " +
    "montagne montagnes voiture vélo garçon noire jaune ciel soleil neige " +
    "vache verte bleue gâteau bateau gens livre vieux vieille lac rivière " +
    "jardin nuit tasse fromage fenêtre joue assis",
    "le les un des du au aux et sur sous sans est en qui petit petite chat " +
    "chats maison fleur fleurs femme homme enfant enfants fille pomme rouge " +
    "vert bleu noir blanc blanche eau rue ville pont cheval poisson trois " +
    "mer café ",
  ],
  es: [
    "una perro perros perra gato gatos gata árbol árboles coche mujer " +
    "mujeres niños manzana rojo roja rojos azul negra cielo nieve ciudad " +
    "puente caballo pájaro pez perrito gente barco libro viejo vieja " +
    "montañas río lago jardín noche taza jugando comiendo sentado",
    "el los las un en con sobre para y hombre playa flor flores casa niña " +
    "verde negro blanco amarillo amarillas sol agua calle vaca montaña mar " +
    "puesta dos",
  ],
  it: [
    "una sulla sulle nella delle gli gatto gatti gatta albero alberi " +
    "spiaggia macchina uomo ragazza ragazzo rossa cielo neve città cavallo " +
    "uccello pesce mela bianca nera gialla libro vecchia " +
    "montagne montagna fiume giardino notte tazza gente persone seduto",
    "un il lo di sul nel della con che cane cani fiore fiori donna bambino " +
    "bambini rosso rossi verde azzurro nero bianco giallo sole acqua vecchio strada " +
    "mare ",
  ],
  pt: [
    "uma cachorro cachorros cão gato gatos praia árvore carro mulher homem " +
    "menino menina vermelho vermelha azul preto amarelo céu neve rua cidade " +
    "cavalo pássaro peixe maçã pessoas barco livro velho velha " +
    "montanhas jardim noite xícara",
    "um com na em dos das no do flor flores casa verde branco sol ponte mar",
  ],
  nl: [
    "een het niet hond honden huis bloemen fiets vrouw jongen meisje appel " +
    "groene blauwe zwarte gele zonsondergang sneeuw straat paard koe mensen " +
    "boek oude kopje koffie tuin nacht bergen ",
    "de op met en kat vogel boot bloem strand zon stad brug lucht witte " +
    "rode rivier",
  ],
  sv: [
    "på och är röd rød ett stranden träd trä blomma katten hunden kvinna " +
    "kvinde pojke flicka äpple människor båt kaffe fjäll",
    "en med og hund hunde katt bil hus mand barn av folk gamla",
  ],
  pl: [
    "się kot samochód czerwony czerwone czerwona drzewo kwiat kwiaty plaży " +
    "kobieta dziecko zielony niebieski czarny niebo ulica ulicy miasto " +
    "krowa ptak ryba ludzie kawy kawa góry morze",
    "na w z i jest pies dom most woda",
  ],
  tr: [
    "bir kedi köpek araba ağaç çiçek çocuk mavi siyah beyaz güneş deniz " +
    "elma kitap kahve insanlar eski",
    "ve ev adam",
  ],
  others: [
    "koira kissa punainen kutya macska piros kočka câine pisică anjing " +
    "kucing merah",
    "",
  ],
};

/** Letters that no word that English has taken over is written with. */
const FOREIGN_LETTERS = /[ąćęłńśźżğışřěůčšžőűțșă]/;

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

  const given = text.normalize("NFC").match(/\p{L}+/gu) ?? [];
  const words = given.map((word) => word.toLowerCase());
  if (words.some((word) => ENGLISH.has(word))) return true;
  // "Crème brûlée in a café" has three such words: English has no more.
  if (words.filter((word) => /[^a-z]/.test(word)).length > 3) return false;
  // Names keep such letters, and are written with a capital: "Łódź".
  if (
    given.some((word) => /^\p{Ll}/u.test(word) && FOREIGN_LETTERS.test(word))
  ) {
    return false;
  }
  const distinct = [...new Set(words)];
  return !LISTS.some(({ sure, perhaps }) =>
    distinct.some((word) => sure.has(word)) ||
    distinct.filter((word) => perhaps.has(word)).length > 1
  );
}
