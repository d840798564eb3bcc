import { equal } from "node:assert/strict";
import { nameOf, tellsSomething } from "#lib/search_page/index/titles.ts";

Deno.test("nameOf() makes words of a file's name, in any script", () => {
  equal(nameOf("a/king-penguin_2.jpg"), "king penguin 2");
  equal(nameOf("Grüße.aus.Köln.png"), "Grüße aus Köln");
  equal(nameOf("Sa\u0308ge.jpg"), "S\u00e4ge");
  const names = [
    ...[
      "漢字",
      "猫",
      "ёж",
      "แมว",
      "ช้าง",
      "बाघ",
      "قطة",
      "قط",
      "곰",
      "ねこ",
      "כלב",
    ],
    ...["owl 2", "image of a cat", "photo finish", "download festival"],
    ...[
      "copy machine",
      "camera",
      "2020 owl",
      "flamingo 2020 01 01",
      "mp3player",
    ],
    ...["golden retriever 12345678", "owl 0001", "IMG 1234 flamingo"],
    ...["signal", "thumb 2"],
  ];
  for (const name of names) equal(nameOf(`${name}.jpg`), name);
});

Deno.test("nameOf() gives no title where a device gave the name", () => {
  const names = [
    ...["IMG_1234", "DSC01", "dscf 7", "photo-3", "12", "ab", "IMG_E1234"],
    ...["PXL_20230101_101010123.PORTRAIT", "IMG_20200101_120000_HDR"],
    ...["IMG-20200101-WA0001", "DSC01234", "DSCF0001", "_DSC1234-Edit"],
    ...["DJI_20230101120000_0001_D", "GOPR0001", "GH010012", "P1010001"],
    ...["SAM_0001", "CIMG0001", "PICT0001", "4H2A1234", "100_0001"],
    ...["MVIMG_20200101_120000", "VID-20200101-WA0003", "IMG_1234.jpg"],
    ...["Screenshot 2020-01-01 at 9.11.12 AM", "Screenshot (12)"],
    ...["Screenshot_20200101-101112_Chrome", "Screenshot_2020-01-01"],
    ...["Screen Shot 2020-01-01 at 10.11.12 (2)", "Bildschirmfoto (3)"],
    ...["Bildschirmfoto 2020-01-01 um 10.11.12", "Capture d’écran (4)"],
    ...["Captura de pantalla 2020-01-01 a las 10.11.12"],
    ...[
      "Снимок экрана 2020-01-01 в 10.11.12",
      "屏幕快照 2020-01-01 上午10.11.12",
    ],
    ...["Zrzut ekranu 2020-01-01 o 10.11.12", "Photo on 1-1-20 at 10.11 AM"],
    ...["WhatsApp Image 2020-01-01 at 10.11.12 (1)", "FB_IMG_1234567890123"],
    ...["Snapchat-1234567890", "received_123", "signal-2020-01-01-101112"],
    ...["photo_2020-01-01_10-11-12", "image", "image (3)", "download (1)"],
    ...["mmexport1577880000000", "telegram-cloud-photo-size-2-5212"],
    ...["FullSizeRender", "LINE_ALBUM_20200101", "tempImageForSave"],
    ...["CamScanner 01-01-2020 12.00", "wx_camera_1577880000000"],
    ...["ChatGPT Image Jan 1, 2025, 12_00_00 PM", "Zoom_1234"],
    ...["Gemini_Generated_Image_1a2b3c4d5e6f", "DSCPDC_0001_BURST20200101"],
    ...["original_0f8fad5b-d9cb-469f-a165-70867728950e"],
    ...["unnamed", "untitled-2", "Copy of IMG_0001", "IMG_0001 (2)"],
    ...[
      "IMG_0001 - Copy",
      "2020-01-01",
      "2020-01-01 10.11.12",
      "1577873472123",
    ],
    ...["550e8400-e29b-41d4-a716-446655440000", "2f3a4b5c"],
    ...["deadbeef-cafe-babe-face-facefeedbeef"],
    ...["d41d8cd98f00b204e9800998ecf8427e", "n02099601_1234"],
    ...["12345678_1234567890_1234567890_n", "photo-15187918-8f162f1e1131"],
    ...["signal-2020-01-01", "DJI_0001-HDR", "Kopie von IMG_0001"],
    ...["00000IMG_00000_BURST20200101101112345_COVER"],
  ];
  for (const name of names) equal(nameOf(`a/${name}.jpg`), "", name);
});

Deno.test("tellsSomething() of folders: a person's, and not a camera's", () => {
  const devices = [
    ...["DCIM", "100CANON", "101_PANA", "100MEDIA", "Camera Roll", "2023-05"],
    ...["Screenshots", "WhatsApp Images", "Downloads"],
  ];
  for (const name of devices) equal(tellsSomething(name), false, name);
  for (const name of ["water bird", "Ente", "鳥"]) {
    equal(tellsSomething(name), true, name);
  }
});
