// Extracts from the CLDR data inside Node how dates and times are written in the languages that templates can have. It writes
// dates/LANGUAGE.json, and testdata/samples.json with what Node itself writes, for the tests. Run it to take over a newer CLDR:
//
//   node extract.mjs      (written with Node 20, CLDR 48)
//
// A regional form that writes as its language does gets no file.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const languages = `af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA ar_SA az bn bg ca zh_CN zh_HK zh_TW hr cs da nl nl_BE en en_AU en_CA en_GB
  en_GH en_IE en_IN en_JM en_MY en_NZ en_PH en_SG en_UG en_US en_ZA en_AE et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH
  el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb fa pl pt pt_BR pt_PT pa ro ru si_LK sr sk sl es es_AR
  es_CL es_CO es_CR es_DO es_EC es_ES es_HN es_MX es_PA es_PE es_UY sw sv ta te th tr uk ur uz vi zu be_BY ps_AF`.split(/\s+/);

// What of a date can be asked for: weekday, year, month, day.
const shapes = ["wymd", "ymd", "wmd", "md", "ym", "m", "y", "w", "d", "wd"];
const options = { w: { weekday: "long" }, y: { year: "numeric" }, m: { month: "long" }, d: { day: "numeric" } };
const clock = { hour: "numeric", minute: "2-digit" };

// One day in each month of either calendar, the days of a week, and a few others.
const dates = [];
for (let i = 0; i < 24; i++) dates.push(new Date(Date.UTC(2031, 0, 3 + 15 * i)));
for (let i = 0; i < 7; i++) dates.push(new Date(Date.UTC(2031, 4, 3 + i)));
for (const day of ["2000-02-29", "2024-03-19", "2024-03-20", "2025-03-20", "2025-03-21", "1999-12-31"]) dates.push(new Date(day + "T00:00:00Z"));
const hours = Array.from({ length: 24 }, (_, h) => new Date(Date.UTC(2031, 4, 3, h, 5)));

const formatter = (language, calendar, o) =>
  new Intl.DateTimeFormat(language.replace("_", "-"), { timeZone: "UTC", calendar, ...o });
const optionsOf = (shape) => Object.assign({}, ...[...shape].map((c) => options[c]));
const numbers = (date, calendar) => Object.fromEntries(new Intl.DateTimeFormat("en-u-nu-latn", { timeZone: "UTC", calendar, year: "numeric",
  month: "numeric", day: "numeric" }).formatToParts(date).map((p) => [p.type, Number(p.value)]));
const escaped = (literal) => {
  if (/[{}]/.test(literal)) throw new Error("a brace in " + literal);
  return plain(literal);
};
// plain writes a space for the narrow one that may not break: many programs do not know it, and Node writes it so as well.
const plain = (s) => s.replaceAll("\u202f", " ");

// listed returns the index of a list of names, which is added when there is none like it.
function listed(lists, names) {
  const at = lists.findIndex((l) => JSON.stringify(l) === JSON.stringify(names));
  return at >= 0 ? at : lists.push(names) - 1;
}

// namesOf collects what a part is called over all dates.
function namesOf(f, type, count, indexOf) {
  const names = Array(count).fill("");
  for (const date of dates) {
    const part = f.formatToParts(date).find((p) => p.type === type);
    if (part) names[indexOf(date)] = part.value;
  }
  if (names.includes("")) throw new Error("not every " + type);
  return names;
}

function calendarOf(language, calendar, weekdays, digits) {
  const out = { months: [], patterns: {} };
  const local = (n) => String(n).replace(/\d/g, (c) => [...digits][c]);
  for (const shape of shapes) {
    const f = formatter(language, calendar, optionsOf(shape));
    const date = dates.find((d) => numbers(d, calendar).day < 10);
    const { day } = numbers(date, calendar);
    out.patterns[shape] = f.formatToParts(date).map(({ type, value }) => {
      switch (type) {
        case "weekday":
          return "{w" + listed(weekdays, namesOf(f, type, 7, (d) => (d.getUTCDay() + 6) % 7)) + "}";
        case "month":
          return "{M" + listed(out.months, namesOf(f, type, 12, (d) => numbers(d, calendar).month - 1)) + "}";
        case "day":
          return value === local(day) ? "{d}" : "{dd}";
        case "year":
        case "relatedYear":
          return "{y}";
        default:
          return escaped(value);
      }
    }).join("");
  }
  return out;
}

// hasPersian leaves out Telugu: Node 20 dies of taking apart what it writes of this calendar.
const hasPersian = (language) => language !== "te";

function languageOf(language) {
  const resolved = formatter(language, "gregory", {}).resolvedOptions();
  if (!language.startsWith(resolved.locale.split("-")[0])) throw new Error("Node does not know " + language);
  const digits = new Intl.NumberFormat(resolved.locale, { useGrouping: false }).format(9876543210);
  const out = { digits: [...digits].reverse().join(""), weekdays: [] };
  out.gregorian = calendarOf(language, "gregory", out.weekdays, out.digits);
  if (hasPersian(language)) out.solar_hijri = calendarOf(language, "persian", out.weekdays, out.digits);

  const f = formatter(language, "gregory", clock);
  const local = (n) => String(n).replace(/\d/g, (c) => [...out.digits][c]);
  const nine = f.formatToParts(hours[9]), evening = f.formatToParts(hours[21]);
  const hourOf = (parts) => parts.find((p) => p.type === "hour").value;
  const twelve = hourOf(nine) === hourOf(evening);
  out.time = evening.map(({ type, value }) => {
    switch (type) {
      case "hour":
        return "{" + (hourOf(nine) === local(9) ? "" : "0") + (twelve ? "h" : "H") + "}";
      case "minute":
        return "{m}";
      case "dayPeriod":
        return "{p}";
      default:
        return escaped(value);
    }
  }).join("");
  if (twelve) {
    out.periods = hours.map((h) => f.formatToParts(h).find((p) => p.type === "dayPeriod").value).map(plain);
  }
  out.joined = {};
  for (const shape of shapes) {
    const both = formatter(language, "gregory", { ...optionsOf(shape), ...clock }).format(hours[21]);
    const date = formatter(language, "gregory", optionsOf(shape)).format(hours[21]), time = f.format(hours[21]);
    const at = both.replace(date, "{date}").replace(time, "{time}");
    out.joined[shape] = at.includes("{date}") && at.includes("{time}") ? at : "{date} {time}";
  }
  return out;
}

function samplesOf(language) {
  const all = [];
  for (const [name, calendar] of [["GREGORIAN", "gregory"], ["SOLAR_HIJRI", "persian"]]) {
    if (calendar === "persian" && !hasPersian(language)) continue;
    for (const [i, shape] of shapes.entries()) {
      const date = dates[(i * 7 + languages.indexOf(language) * 3) % dates.length];
      const n = numbers(date, calendar);
      all.push([language, name, shape, (date.getUTCDay() + 6) % 7 + 1, n.year ?? n.relatedYear, n.month, n.day,
        formatter(language, calendar, optionsOf(shape)).format(date)]);
    }
  }
  return all;
}

function timesOf(language) {
  const f = formatter(language, "gregory", clock);
  return [0, 1, 9, 12, 21].map((h) => [language, h, f.format(hours[h])]);
}

mkdirSync("dates", { recursive: true });
for (const file of readdirSync("dates")) rmSync("dates/" + file);
const written = {}, samples = { dates: [], times: [] };
for (const language of languages) {
  const text = JSON.stringify(languageOf(language)) + "\n";
  samples.dates.push(...samplesOf(language));
  samples.times.push(...timesOf(language));
  written[language] = text;
  if (written[language.split("_")[0]] !== text || !language.includes("_")) writeFileSync(`dates/${language}.json`, text);
}
const lines = (rows) => "[\n" + rows.map((r) => JSON.stringify(r)).join(",\n") + "\n]";
writeFileSync("testdata/samples.json", `{"dates": ${lines(samples.dates)},\n"times": ${lines(samples.times)}}\n`);
