package io.holdfast.manager.view;

import java.util.List;

/**
 * What the unit files on disk say about a unit now.
 *
 * @param changed whether its files differ from those that were loaded
 * @param missing one line for each unit that it requires and that does not exist
 */
public record UnitFileFacts(boolean changed, List<String> missing) {
    public UnitFileFacts {
        missing = List.copyOf(missing);
    }
}
