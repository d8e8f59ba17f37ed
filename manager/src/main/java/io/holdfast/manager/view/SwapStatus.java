package io.holdfast.manager.view;

import io.holdfast.core.process.ProcessId;
import java.util.Optional;

/**
 * The state of a swap beyond its {@link UnitStatus}.
 *
 * @param control the command that runs
 * @param priority while it is in use, what the kernel says; empty: the kernel's choice
 */
public record SwapStatus(Optional<ProcessId> control, Optional<Integer> priority)
        implements UnitDetails {}
