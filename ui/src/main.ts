import './tokens.css'
import './app.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { chooseHost } from './host/choose'
import { markHidden } from './lib/hidden'
import { Workspace } from './state/workspace.svelte'

markHidden(document.body)
void chooseHost().then((chosen) => {
  const target = document.getElementById('app')
  if (target) mount(App, { target, props: { workspace: new Workspace(chosen) } })
})
