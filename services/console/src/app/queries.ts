import type {
  ApprovalView,
  AuditView,
  ChangeView,
  CommandDetail,
  EdgeTotal,
  FreezeView,
  IncidentView,
  KillSwitchView,
  LogTotal,
  MetricStream,
  Readiness,
  ServiceDetail,
  ServiceGraph,
  ServiceSummary,
  SightView,
  SilenceView,
} from '@flyball/api';
import { QueryClient, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ApiError, ask } from './api.ts';

/** Changes come by the stream; this is for what a lost stream would miss. */
const EVERY_MS = 30_000;

/** All that was read. The stream says what of it is to be read again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: EVERY_MS,
      refetchInterval: EVERY_MS,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400),
      retryDelay: 1_000,
    },
  },
});

/** A list as the API answers it; `isRebuilding` says that it may be incomplete. */
export interface List<T> {
  readonly items: readonly T[];
  readonly isRebuilding?: boolean;
}

function useAnswer<T>(key: readonly string[], path: string, isAsked = true): UseQueryResult<T, ApiError> {
  return useQuery<T, ApiError>({ queryKey: key, queryFn: () => ask<T>(path), enabled: isAsked });
}

const serviceAt = (id: string) => `/v1/services/${encodeURIComponent(id)}`;

export const useServices = () => useAnswer<List<ServiceSummary>>(['services'], '/v1/services');
export const useService = (id: string) => useAnswer<ServiceDetail>(['service', id], serviceAt(id));
/** Its key begins with the service: who reads that again reads this too. */
const useListOf = <T>(id: string, what: string) =>
  useAnswer<List<T>>(['service', id, what], `${serviceAt(id)}/${what}`);
export const useMetrics = (id: string) => useListOf<MetricStream>(id, 'metrics');
export const useLogs = (id: string) => useListOf<LogTotal>(id, 'logs');
export const useEdges = (id: string) => useListOf<EdgeTotal>(id, 'edges');
export const useGraph = (environment: string) =>
  useAnswer<ServiceGraph>(
    ['graph', environment],
    `/v1/graph?environment=${encodeURIComponent(environment)}`,
    environment !== '',
  );
export const useIncidents = () => useAnswer<List<IncidentView>>(['incidents'], '/v1/incidents?limit=500');
export const useIncident = (id: string) =>
  useAnswer<IncidentView>(['incident', id], `/v1/incidents/${encodeURIComponent(id)}`);
export const useCommands = () => useAnswer<List<CommandDetail>>(['commands'], '/v1/commands?limit=500');
export const useApprovals = () => useAnswer<List<ApprovalView>>(['approvals'], '/v1/approvals');
export const useAudit = () => useAnswer<List<AuditView>>(['audit'], '/v1/audit?limit=1000');
export const useChanges = () => useAnswer<List<ChangeView>>(['changes'], '/v1/changes?limit=1000');
export const useSight = () => useAnswer<List<SightView>>(['sight'], '/v1/sight');
export const useSilences = () => useAnswer<List<SilenceView>>(['silences'], '/v1/silences');
export const useFreezes = () => useAnswer<List<FreezeView>>(['freezes'], '/v1/freezes');
export const useKillSwitch = () => useAnswer<KillSwitchView>(['killswitch'], '/v1/killswitch');

/** Whether it is ready: an answer also when it says no. */
export function useReadiness(): UseQueryResult<Readiness, ApiError> {
  return useQuery<Readiness, ApiError>({
    queryKey: ['readiness'],
    refetchInterval: 2_000,
    queryFn: async () => {
      const response = await fetch('/readyz?verbose');
      return (await response.json()) as Readiness;
    },
  });
}
