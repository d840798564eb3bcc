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
 * that tell: common ones of other languages that are no English words, and none
 * of the names and loan words of English. A false alarm is worse than a miss,
 * so a text counts as English until enough of its words say otherwise.
 *
 * Touches no files and no network.
 *
 * ```ts
 * import { languageRemark } from "#lib/encoders/languages.ts";
 * import { equal, match } from "node:assert/strict";
 *
 * const encoder = { name: "offline", languages: ["en"] };
 * match(languageRemark(encoder, "ein roter Apfel")!, /^This encoder, offline, knows English only/);
 * equal(languageRemark(encoder, "Los Gatos, crème brûlée in a café"), undefined);
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
  { name, languages }: Pick<Encoder, "name" | "languages">,
  text: string,
): string | undefined {
  const isEnglishOnly = languages?.join() === "en";
  if (!isEnglishOnly || looksEnglish(text)) return undefined;
  const [model] = name.split("/");
  return `This encoder, ${model}, knows English only: what it finds for words of ` +
    "another language may not fit them.";
}

/** Common words of English: each makes up for one of another language. */
const ENGLISH = new Set(
  ("a an the and or with without at from by is are was to for his her " +
    "its their this that these of on into over under behind between near " +
    "through not my your our some two three four five six seven eight " +
    "nine ten who which what where there he she it they we you like has " +
    "have having being been red blue green black white yellow orange " +
    "brown pink grey gray purple old young small big large little great " +
    "new beautiful dog dogs cat cats bird birds horse cow tree trees " +
    "house car woman women men boy girl child children people beach " +
    "mountain mountains river lake sea sky night day city street snow " +
    "flower flowers food water sitting standing running walking holding " +
    "playing eating looking riding photo picture dress wine cheese church " +
    "school grove lily cake ice cream coffee tea painting poster movie " +
    "beer soup museum family")
    .split(" "),
);

/**
 * Words of other languages: those that tell alone, and those that are English
 * too, or in names and loan words that English has, which tell where the whole
 * text consists of them.
 */
const WORDS: Record<string, [sure: string, perhaps: string]> = {
  de: [
    "ein einen einem einer eine eines nicht drei vor neben zwischen hund " +
    "hunde katze katzen kätzchen bäume häuser blumen fahrrad frauen " +
    "mädchen menschen leute äpfel roter rotes grün grüne grünes weiß " +
    "weiße weißer schwarze schwarzer gelbe gelber großer große schöne " +
    "schöner schönes sonnenuntergang sonnenaufgang schmetterling " +
    "landschaft wasserfall pferd pferde kuh stuhl fluss bücher frühstück " +
    "spielt läuft sitzt hochzeit flugzeug regenbogen leuchtturm vögel " +
    "strände rotkehlchen",
    "der die das dem den des im am mit über ist unter hinter vogel strand " +
    "meer berg berge mann kinder rote blau schwarz gelb sonne wasser " +
    "stadt brot kuchen baum haus blume wald frau junge mensch apfel fisch " +
    "tisch nebel garten nacht himmel schnee brücke schiff buch kaffee " +
    "tasse kleine kleiner alte und auf für zwei blaue straße zeitung " +
    "kirche altes auto ente park spielen",
  ],
  fr: [
    "une dans avec chien chiens chienne oiseau oiseaux arbre arbres " +
    "montagnes voiture vélo neige vieille rivière fenêtre joue assis " +
    "assise mangeant jaunes",
    "le la les un des du de au aux et sur sous sans est en qui deux trois " +
    "petit petite chat chats maison fleur fleurs femme homme enfant " +
    "enfants fille garçon pomme rouge vert verte bleu bleue noir noire " +
    "blanc blanche jaune eau rue ville pont cheval poisson plage forêt " +
    "montagne ciel soleil gens livre vieux lac jardin nuit tasse fromage " +
    "gâteau vache bateau coucher",
  ],
  es: [
    "perro perros perra perrito gatito gatitos gata árboles coche mujer " +
    "manzana manzanas rojos caballo caballos pájaro pájaros nieve jugando " +
    "comiendo sentado durmiendo niña niños mariposa mariposas atardecer " +
    "amanecer amarilla amarillas montañas ciudades palmeras",
    "el la los las de un en con sobre para al gato gatos hombre playa " +
    "flor flores casa verde negro negra rojo roja azul blanco blanca " +
    "amarillo sol agua calle vaca montaña mar puesta dos árbol cielo " +
    "ciudad puente pez barco libro viejo vieja río lago jardín noche taza " +
    "una mujeres gente niñas tarta chocolate",
  ],
  it: [
    "sulle gatto gatti gatta alberi spiaggia uccello uccelli pesce mele " +
    "farfalla tramonto fiume cavallo seduto seduta montagne gialla " +
    "cappello cappelli",
    "una un il lo la di del della delle sul nel con che e cane cani fiore " +
    "fiori donna rosso rossa rossi verde azzurro nero nera bianco bianca " +
    "giallo acqua vecchio vecchia strada mare albero macchina ragazza " +
    "ragazzo cielo neve città libro montagna giardino notte tazza gente " +
    "persone sulla nella uomo mela bambino bambini due auto",
  ],
  pt: [
    "cachorro cachorros cão cães mulher mulheres menino menina vermelho " +
    "vermelha amarelo céu pássaro pássaros peixe maçã pessoas livro " +
    "borboleta xícara montanhas pôr",
    "um com na em dos das de o gato gatos casa flor flores verde branco " +
    "preto azul sol ponte mar homem árvore neve rua cidade cavalo barco " +
    "velho velha jardim noite uma praia carro",
  ],
  nl: [
    "een niet hond honden bloemen fiets vrouw jongen meisje groene blauwe " +
    "zwarte zonsondergang zonsopgang sneeuw straat paard koe mensen " +
    "vlinder koffie drie",
    "de het op met en kat vogel huis bloem strand zon stad brug lucht " +
    "witte gele rivier appel tuin boek oude nacht bergen auto rode bank " +
    "man",
  ],
  sv: [
    "på och röd rött rød rødt stranden träd trä blomma blommor katten " +
    "hunden kvinna kvinde kvinne pojke flicka jente äpple eple æble " +
    "människor båt fjäril solnedgång solnedgang soluppgång sommerfugl blå " +
    "fågel häst hest",
    "en ett et med og av är hund katt bil hus mand mann gamla kaffe fjäll",
  ],
  pl: [
    "się samochód czerwony czerwone czerwona drzewo drzewa kwiat kwiaty " +
    "plaży kobieta dziecko zielony niebieski czarny niebo ulica ulicy " +
    "miasto krowa ptak ryba ludzie kawy góry morze jabłko motyl " +
    "dziewczyna chłopiec zachód słońca",
    "na kot dwa jest dom woda w",
  ],
  tr: [
    "kedi köpek araba ağaç çiçek çocuk siyah beyaz güneş kırmızı kitap " +
    "kahve insanlar uçak kelebek gökyüzü",
    "bir ve ev mavi elma eski deniz",
  ],
  others: [
    "koira kissa punainen omena kutya macska kočka câine pisică anjing " +
    "kucing merah crvena crveni jabuka jablko matahari terbenam rautt " +
    "epli dearg úll một chó máy mèo bông đen pantai bíll rauður autó " +
    "mașină copac červené červený",
    "",
  ],
};

/** Letters of which a loan word or a name has one, and two words a language. */
const FOREIGN_LETTERS = /[ąćęłńśźżğışřěůčšžőűțșăđơưßåøþðạ-ỹ]/;

const LISTS = Object.entries(WORDS).map(([language, [sure, perhaps]]) => ({
  hasCapitals: language === "de", // Its nouns are written so, not names alone.
  sure: new Set(sure.split(" ")),
  all: new Set(`${sure} ${perhaps}`.split(" ")),
}));

/** Whether nothing in a text says that it is in another language than English. */
export function looksEnglish(text: string): boolean {
  // A Greek letter alone is a symbol, as in "α-helix"; 犬 alone is a dog.
  const foreign =
    /(?!\p{Script=Latin}|\p{Script=Greek}|\p{Script=Common})\p{L}|\p{Script=Greek}{2}/u;
  if (foreign.test(text)) return false;

  const given: string[] = text.normalize("NFC").match(/\p{L}+/gu) ?? [];
  const isSmall = (word: string) => word === word.toLowerCase();
  // A capital makes a name, "Los Gatos", except where a sentence begins.
  const isSentence = given.slice(1).every(isSmall);
  const words = given.map((word) => word.toLowerCase());
  const small = words.filter((word) => isSentence || given.includes(word));
  const distinct = [...new Set(words)];

  const odd = small.filter((word) => FOREIGN_LETTERS.test(word));
  const sure = LISTS.flatMap(({ hasCapitals, sure }) =>
    (hasCapitals ? words : small).filter((word) => sure.has(word))
  );
  const foreignOnes = new Set(new Set(odd).size > 1 ? [...sure, ...odd] : sure);
  const english = distinct.filter((word) => ENGLISH.has(word));
  if (foreignOnes.size > english.length) return false;
  return !LISTS.some(({ hasCapitals, all }) =>
    distinct.length > 1 && distinct.every((word) => all.has(word)) &&
    (small.length === words.length || hasCapitals && given.some(isSmall))
  );
}
