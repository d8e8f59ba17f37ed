/** Text for people: what a terminal or a log may be given of what others wrote. */
@NullMarked
package io.holdfast.core.text;

import org.jspecify.annotations.NullMarked;
