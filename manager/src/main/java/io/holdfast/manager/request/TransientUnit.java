package io.holdfast.manager.request;

import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.unit.UnitName;

/**
 * A unit that a request makes at run time.
 *
 * @param text the text of its unit file
 * @param resources closed by the unit, or by {@link TransientStarts} if it is refused
 */
public record TransientUnit(UnitName name, String text, TransientResources resources) {}
