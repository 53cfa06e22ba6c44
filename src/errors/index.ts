export { catalogue, type CatalogueEntry, type ErrorCode, type ErrorDomain, type KnownCode } from './catalogue.ts'
export { DhaaraError, type ErrorDetails, PatternError, TopologyError, type TopologyProblem } from './error.ts'
