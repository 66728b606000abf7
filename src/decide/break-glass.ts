import type { ImageReview } from '../parse/image-review.ts';
import type { BreakGlass } from '../rules/policy.ts';
import type { BreakGlassUse } from './decision.ts';
import { takesName } from './match.ts';

/** No ticket system has longer names; the value comes from whoever creates the pod. */
const MAX_TICKET_LENGTH = 256;

/** What a review's break-glass annotation is worth; undefined when there is none. */
export function useBreakGlass(
  breakGlass: BreakGlass | undefined,
  review: ImageReview,
): BreakGlassUse | undefined {
  if (breakGlass === undefined) return undefined;
  const ticket = review.annotations.get(breakGlass.annotation);
  if (ticket === undefined) return undefined;
  const why = refusal(breakGlass, ticket, review.namespace);
  return why === undefined ? { accepted: true, ticket } : { accepted: false, ticket, why };
}

function refusal(breakGlass: BreakGlass, ticket: string, namespace: string): string | undefined {
  if (breakGlass.namespaces !== undefined && !takesName(breakGlass.namespaces, namespace)) {
    return `there is none in namespace ${namespace}`;
  }
  if (ticket === '') return 'the ticket is empty';
  if (ticket.length > MAX_TICKET_LENGTH) {
    return `the ticket is longer than ${MAX_TICKET_LENGTH} characters`;
  }
  if (breakGlass.ticket?.matches(ticket) === false) {
    return `the ticket does not match ${breakGlass.ticket.source}`;
  }
  return undefined;
}
