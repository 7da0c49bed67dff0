import './style.css'
import { render, type JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, type About, type Snapshot } from './api'
import { currentLanguage, setLanguage, setTheme, t, theme, useLanguage, type Key } from './i18n'
import { useMap } from './live'
import { link, rangeOf, ranges, setParams, usePlace } from './route'
import { Empty } from './parts/basics'
import { MapPage } from './pages/map'

/** Page is what a page gets. */
export interface PageProps { map: Snapshot | null; about: About | null; path: string[] }
type Page = (p: PageProps) => JSX.Element

/** pages are loaded when they are opened first. */
const pages: Record<string, () => Promise<Page>> = {}

function App(): JSX.Element {
  const place = usePlace()
  useLanguage()
  const live = useMap()
  const [about, setAbout] = useState<About | null>(null)
  useEffect(() => { void get<About>('/api/about').then(setAbout, () => undefined) }, [])
  const [root = '', ...path] = place.path.slice(1).split('/').map(decodeURIComponent)
  return <div class="app">
    <Nav root={root} of={live.value} />
    <div class="body">
      <Top connected={live.connected || live.value === null} about={about} of={live.value} />
      <main>{root === '' ? <MapPage of={live.value} about={about} /> : <Loaded root={root} props={{ map: live.value, about, path }} />}</main>
    </div>
  </div>
}

function Loaded(p: { root: string; props: PageProps }): JSX.Element {
  const [page, set] = useState<{ root: string; page: Page } | null>(null)
  useEffect(() => {
    let gone = false
    void pages[p.root]?.().then((page) => { if (!gone) set({ root: p.root, page }) })
    return () => { gone = true }
  }, [p.root])
  if (!pages[p.root]) return <div class="main"><section class="card"><Empty what="404" help={<a href="/">{t('map')}</a>} /></section></div>
  if (page?.root !== p.root) return <div class="main"><Empty what={t('loading')} /></div>
  return <page.page {...p.props} />
}

function Nav(p: { root: string; of: Snapshot | null }): JSX.Element {
  const firing = p.of?.alerts.filter((a) => a.state === 'firing').length ?? 0
  const low = p.of?.budgets.filter((b) => b.left !== null && b.left <= 0.1).length ?? 0
  const item = (path: string, key: Key, roots: string[], note?: JSX.Element | false) =>
    <a class="item" href={link(path)} aria-current={roots.includes(p.root) ? 'page' : undefined}>{t(key)}{note}</a>
  return <nav class="nav" aria-label="Firedrill">
    <a class="home" href={link('/')}><img src="/icon.svg" width="20" height="20" alt="" />Firedrill</a>
    {item('/', 'map', [''])}
    {item('/services', 'services', ['services', 'service'])}
    {item('/traces', 'traces', ['traces', 'trace'])}
    {item('/logs', 'logs', ['logs'])}
    {item('/metrics', 'metrics', ['metrics'])}
    <small>{t('reliability')}</small>
    {item('/objectives', 'objectives', ['objectives', 'objective'], low > 0 && <i class="bad">{low}</i>)}
    {item('/alerts', 'alerts', ['alerts'], firing > 0 && <i class="bad">{firing}</i>)}
    <small>{t('more')}</small>
    {item('/stack', 'stack', ['stack'])}
  </nav>
}

function Top(p: { connected: boolean; about: About | null; of: Snapshot | null }): JSX.Element {
  const place = usePlace()
  const range = rangeOf(place.params)
  const [dark, setDark] = useState(theme() === 'dark')
  return <div class="top">
    <select class="chip" aria-label={t('range')} value={range.live ? range.text : 'fixed'}
      onChange={(e) => { const v = e.currentTarget.value; setParams({ from: v === '15m' || v === 'fixed' ? undefined : 'now-' + v, to: undefined }) }}>
      {!range.live && <option value="fixed">{t('fixedRange')}</option>}
      {Object.keys(ranges).map((r) => <option key={r} value={r}>{t('last')} {r}</option>)}
    </select>
    {range.live ? <span class="chip q">{t('live')}</span> : <button class="chip" onClick={() => setParams({ from: undefined, to: undefined })}>{t('backToNow')}</button>}
    {!!p.about?.scale && p.about.scale !== 1 && <span class="chip q" title={t('scaleHelp')}>{t('scale')} {p.about.scale}: 1 h = {60 / p.about.scale} min</span>}
    <span class="sp" />
    {!p.connected && <span class="chip warn" role="status" title={t('lostHelp')}>{t('lost')}</span>}
    {p.of?.faults.map((f) => <a class="chip bad" key={f.service + f.kind} href={link('/service/' + f.service)}>● {f.service}: {f.kind}</a>)}
    <button class="chip q" aria-label={t('language')} onClick={() => setLanguage(currentLanguage() === 'en' ? 'zh' : 'en')}>{currentLanguage() === 'en' ? '中文' : 'EN'}</button>
    <button class="chip q" aria-label={t('theme')} onClick={() => { setTheme(dark ? 'light' : 'dark'); setDark(!dark) }}>◐</button>
  </div>
}

setTheme(theme(), false)
setLanguage(currentLanguage())
render(<App />, document.getElementById('app')!)
