import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/shell.css';
import './styles/fleet.css';
import './styles/service.css';
import './styles/incidents.css';
import { queries } from './queries.ts';
import { applyTheme } from './preferences.ts';
import { App } from './shell/app.tsx';

applyTheme();
createRoot(document.querySelector('#app')!).render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
);
