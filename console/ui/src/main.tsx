import './style.css'
import { render, type JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, type About, type Snapshot } from './api'
import { currentLanguage, setLanguage, setTheme, t, theme, useLanguage } from './i18n'
import { useMap } from './live'
import { link, rangeOf, ranges, setParams, usePlace } from './route'
import { Empty } from './parts/basics'
import { MapPage } from './pages/map'

function App(): JSX.Element {
  const place = usePlace()
  useLanguage()
  const live = useMap()
  const [about, setAbout] = useState<About | null>(null)
  useEffect(() => { void get<About>('/api/about').then(setAbout, () => undefined) }, [])
  const root = place.path.slice(1)
  return <div class="app">
    <Nav root={root} />
    <div class="body">
      <Top connected={live.connected || live.value === null} about={about} of={live.value} />
      <main>{root === '' ? <MapPage of={live.value} about={about} /> : <Missing />}</main>
    </div>
  </div>
}

function Missing(): JSX.Element {
  return <div class="main"><section class="card"><Empty what={t('noPage')} help={<a href={link('/')}>{t('map')}</a>} /></section></div>
}

function Nav(p: { root: string }): JSX.Element {
  return <nav class="nav" aria-label="Firedrill">
    <a class="home" href={link('/')}><img src="/icon.svg" width="20" height="20" alt="" />Firedrill</a>
    <a class="item" href={link('/')} aria-current={p.root === '' ? 'page' : undefined}>{t('map')}</a>
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
    {p.of?.faults.map((f) => <span class="chip bad" key={f.service + f.kind}>● {f.service}: {f.kind}</span>)}
    <button class="chip q" aria-label={t('language')} onClick={() => setLanguage(currentLanguage() === 'en' ? 'zh' : 'en')}>{currentLanguage() === 'en' ? '中文' : 'EN'}</button>
    <button class="chip q" aria-label={t('theme')} onClick={() => { setTheme(dark ? 'light' : 'dark'); setDark(!dark) }}>◐</button>
  </div>
}

setTheme(theme(), false)
setLanguage(currentLanguage())
render(<App />, document.getElementById('app')!)
