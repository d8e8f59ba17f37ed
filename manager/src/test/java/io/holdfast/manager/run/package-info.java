@NullMarked
package io.holdfast.manager.run;

import org.jspecify.annotations.NullMarked;
