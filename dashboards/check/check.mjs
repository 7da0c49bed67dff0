// Checks every generated dashboard against Grafana's own types, and that the check
// would see a mistake: each dashboard is written as TypeScript and compiled, and so
// are copies of one with a mistake in it.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = fileURLToPath(new URL('.', import.meta.url));
const generated = join(here, '..', 'generated');
const build = join(here, '.build');

/** Writes a dashboard as TypeScript, its panels and queries wrapped by the functions of types.ts that bear the names of their types. */
function typed(d) {
  const wrap = (kind, type, text) => `${kind}[${JSON.stringify(type)}](${text})`;
  const json = (value, key, list) => {
    const { [key]: _, ...rest } = value;
    return `{${key}: [\n${list.join(',\n')}], ${JSON.stringify(rest).slice(1)}`; // one literal: a spread may bring unknown keys
  };
  const panels = d.panels.map((p) => {
    const targets = p.targets?.map((q) => wrap('query', q.datasource?.type, JSON.stringify(q)));
    return wrap('panel', p.type, targets ? json(p, 'targets', targets) : JSON.stringify(p));
  });
  return `import { dashboard, panel, query } from '../types';\nexport default dashboard(${json(d, 'panels', panels)});\n`;
}

/** Mistakes that a person or a new version of the SDK could make. Each is made in a copy of a dashboard. */
const mistakes = {
  'a key of the dashboard that is none': (d) => { d.refreshes = '10s'; },
  'a kind of panel that was removed': (d) => { graph(d).type = 'graph'; },
  'a key of a panel that is none': (d) => { graph(d).titel = 'x'; },
  'an option that is none': (d) => { graph(d).options.legends = {}; },
  'a word that an option does not take': (d) => { graph(d).options.tooltip.mode = 'all'; },
  'a field option that is none': (d) => { graph(d).fieldConfig.defaults.units = 's'; },
  'a custom field option that is none': (d) => { graph(d).fieldConfig.defaults.custom.lineWidths = 1; },
  'a unit that is a number': (d) => { graph(d).fieldConfig.defaults.unit = 1; },
  'a key of a query that is none': (d) => { graph(d).targets[0].expression = 'up'; },
  'a query without a letter': (d) => { delete graph(d).targets[0].refId; },
  'a query for nobody': (d) => { graph(d).targets[0].datasource.type = 'graphite'; },
  'a key of a variable that is none': (d) => { d.templating.list[0].refreshing = 1; },
  'a kind of variable that is none': (d) => { d.templating.list[0].type = 'list'; },
  'an annotation without a colour': (d) => { delete d.annotations.list[0].iconColor; },
};
const graph = (d) => d.panels.find((p) => p.type === 'timeseries');

function write() {
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build);
  const files = readdirSync(generated).filter((name) => name.endsWith('.json')).map((name) => [name, readFileSync(join(generated, name), 'utf8')]);
  const sources = files.map(([name, text]) => [name, typed(JSON.parse(text))]);
  for (const [what, make] of Object.entries(mistakes)) {
    const copy = JSON.parse(files[0][1]);
    make(copy);
    sources.push([what.replaceAll(' ', '-'), typed(copy)]);
  }
  return sources.map(([name, text]) => {
    const file = join(build, `${basename(name, '.json')}.ts`);
    writeFileSync(file, text);
    return { name, file, mistaken: !name.endsWith('.json') };
  });
}

function diagnose(files) {
  const config = ts.getParsedCommandLineOfConfigFile(join(here, 'tsconfig.json'), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (d) => { throw new Error(d.messageText); } });
  const program = ts.createProgram([join(here, 'types.ts'), ...files.map((f) => f.file)], config.options);
  const found = ts.getPreEmitDiagnostics(program);
  const of = (file) => found.filter((d) => d.file && join(d.file.fileName) === file);
  const own = found.filter((d) => !files.some((f) => d.file && join(d.file.fileName) === f.file));
  return { of, own };
}

const said = (d) => ts.flattenDiagnosticMessageText(d.messageText, '\n');
const files = write();
const { of, own } = diagnose(files);
const wrong = own.map((d) => `types.ts: ${said(d)}`);
for (const f of files) {
  if (f.mistaken && of(f.file).length === 0) wrong.push(`the check does not see ${f.name.replaceAll('-', ' ')}`);
  if (!f.mistaken) wrong.push(...of(f.file).map((d) => `${f.name}: ${said(d)}`));
}
if (files.every((f) => f.mistaken)) wrong.push('no dashboard was found');
for (const line of wrong) console.error(line);
const checked = files.filter((f) => !f.mistaken).length;
console.log(wrong.length === 0 ? `${checked} dashboards are as Grafana's types want them; ${files.length - checked} made mistakes are seen.` : `${wrong.length} mistakes.`);
process.exitCode = wrong.length === 0 ? 0 : 1;
