/**
 * The job engine: what is to be done to units, in which order, and how each job ends.
 *
 * <p>A request, such as {@code systemctl start web.service}, is one <em>anchor</em> job. {@link
 * io.holdfast.manager.job.Transaction} adds the jobs that it entails by dependencies, makes them
 * consistent with each other and with the jobs that are there, or refuses the request before
 * anything is done. {@link io.holdfast.manager.job.JobEngine} then holds the jobs, at most one of a
 * unit, and begins each when no job of a unit that it is ordered against is left that goes first,
 * whoever asked for that one.
 *
 * <p>The rules are those of systemd: see systemctl(1) on job modes and systemd.unit(5) on
 * dependencies. The engine knows no processes, files or threads: units are {@link
 * io.holdfast.manager.job.JobUnit}, time is injected, and nothing in it recurses.
 */
@NullMarked
package io.holdfast.manager.job;

import org.jspecify.annotations.NullMarked;
