/**
 * Directories that are held open, walks along paths of other users, locks and socket files. Only
 * for our own modules.
 */
@NullMarked
package io.holdfast.core.file.folder;

import org.jspecify.annotations.NullMarked;
