/**
 * The job engine: decides which jobs a request needs, in which order they run, and how each ends.
 *
 * <p>A request, such as {@code systemctl start web.service}, is one <em>anchor</em> job. {@link
 * io.holdfast.manager.job.Transaction} adds the jobs that it entails by dependencies, makes them
 * consistent with each other and with the existing jobs, or refuses the request before anything is
 * done. {@link io.holdfast.manager.job.JobEngine} then holds the jobs, at most one per unit, and
 * begins each when no job is left that has to go first by the ordering dependencies of their units,
 * whichever request that job belongs to.
 *
 * <p>The rules are those of systemd: see systemctl(1) on job modes and systemd.unit(5) on
 * dependencies. The engine has no knowledge of processes, files or threads: units are {@link
 * io.holdfast.manager.job.JobUnit}, time is injected, and nothing in it recurses.
 */
@NullMarked
package io.holdfast.manager.job;

import org.jspecify.annotations.NullMarked;
