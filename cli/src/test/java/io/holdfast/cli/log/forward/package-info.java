@NullUnmarked
package io.holdfast.cli.log.forward;

import org.jspecify.annotations.NullUnmarked;
