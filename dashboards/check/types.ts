// What a dashboard of ours may hold: Grafana's own types, without the places where
// they take anything. check.mjs wraps every part of a dashboard in the function
// here that is called as its type, so that TypeScript tells every key, type and
// word that Grafana does not know, and every kind of panel that is not listed.
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as logs from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import type * as lokiQuery from '@grafana/schema/dist/esm/raw/composable/loki/dataquery/x/LokiDataQuery_types.gen';
import type * as nodegraph from '@grafana/schema/dist/esm/raw/composable/nodegraph/panelcfg/x/NodeGraphPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as tempoQuery from '@grafana/schema/dist/esm/raw/composable/tempo/dataquery/x/TempoDataQuery_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** Json is T as JSON has it: an enum of words is one of these words. */
type Json<T> = unknown extends T ? unknown
  : T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends ReadonlyArray<infer U> ? Array<Json<U>>
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : never;

type None = Record<string, never>;

interface Source<Type extends string> { type: Type; uid: string }

interface Parts<Type extends string, Options, Custom> {
  type: Type;
  datasource?: Source<string>;
  options?: Options;
  fieldConfig?: {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom };
    overrides: FieldConfigSource['overrides'];
  };
  targets?: unknown[]; // wrapped themselves
}
type PanelOf<Type extends string, Options, Custom = None> = Json<Omit<Panel, keyof Parts<Type, Options, Custom>>> & Json<Parts<Type, Options, Custom>>;

/** The kinds of panel that dashboards may have. None of them is deprecated. */
export const panel = {
  bargauge: (p: PanelOf<'bargauge', bargauge.Options>) => p,
  heatmap: (p: PanelOf<'heatmap', heatmap.Options, heatmap.FieldConfig>) => p,
  logs: (p: PanelOf<'logs', logs.Options>) => p,
  nodeGraph: (p: PanelOf<'nodeGraph', nodegraph.Options>) => p,
  row: (p: Json<Omit<RowPanel, 'panels'>> & { panels: never[] }) => p,
  stat: (p: PanelOf<'stat', stat.Options>) => p,
  'state-timeline': (p: PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>) => p,
  table: (p: PanelOf<'table', table.Options, table.FieldConfig>) => p,
  text: (p: PanelOf<'text', text.Options>) => p,
  timeseries: (p: PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>) => p,
};

/** PromQuery is of @grafana/prometheus, src/dataquery.ts, which @grafana/schema has no copy of. */
interface PromQuery extends DataQuery {
  editorMode?: 'builder' | 'code';
  exemplar?: boolean;
  expr: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  interval?: string;
  legendFormat?: string;
  range?: boolean;
}
type QueryOf<Type extends string, Query> = Json<Omit<Query, 'datasource'> & { refId: string; datasource: Source<Type> }>;

export const query = {
  loki: (q: QueryOf<'loki', lokiQuery.LokiDataQuery>) => q,
  prometheus: (q: QueryOf<'prometheus', PromQuery>) => q,
  tempo: (q: QueryOf<'tempo', Omit<tempoQuery.TempoQuery, 'queryType'> & { queryType: tempoQuery.TempoQueryType }>) => q,
};

/** The data sources read these keys of an annotation, which @grafana/schema lacks: annotationQuery of Loki's, processEvents of Prometheus's. */
interface EventFormat { expr?: string; titleFormat: string; textFormat: string; tagKeys: string }
interface EventTarget { expr: string; refId: string; legendFormat?: string; range?: boolean }

type Event = Json<Omit<AnnotationQuery, 'datasource' | 'target'> & EventFormat & { datasource: Source<string>; target?: EventTarget }>;

export const dashboard = (d: Json<Omit<Dashboard, 'panels' | 'annotations'>> & { panels: unknown[]; annotations: { list: Event[] } }) => d;
