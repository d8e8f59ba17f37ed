@NullMarked
package io.holdfast.journal.format;

import org.jspecify.annotations.NullMarked;
