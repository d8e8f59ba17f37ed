/**
 * Bounds on what others may make a process hold: named limits, fair shares of them, and throttled
 * log lines.
 *
 * <p>Every queue, table and wait of Holdfast has a {@link io.holdfast.core.limit.Limit} with a
 * name, which {@code holdfast doctor} lists. Where several users share one, a {@link
 * io.holdfast.core.limit.FairShare} keeps some of it for the next user. What any of them can have
 * logged as often as he likes passes through a {@link io.holdfast.core.limit.Throttle}.
 */
@NullMarked
package io.holdfast.core.limit;

import org.jspecify.annotations.NullMarked;
