import { StrictMode, useEffect } from 'react'
import { createRoot } from 'react-dom/client'
import './styles/base.css'
import './styles/list.css'
import './styles/pane.css'
import './styles/conversation.css'
import './styles/dialogs.css'
import './styles/narrow.css'
import { FleetPage } from './pages/FleetPage'
import { LoginPage } from './pages/LoginPage'
import { fleet, followFleet } from './state/fleet'
import { followHistory } from './state/place'
import { useStore } from './state/store'

function App() {
  const { locked } = useStore(fleet)
  useEffect(followHistory, [])
  useEffect(followFleet, [])
  return locked ? <LoginPage /> : <FleetPage />
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
