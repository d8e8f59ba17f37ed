package org.example

import io.holdfast.core.process.Spawn
import io.holdfast.core.run.Run
import io.holdfast.core.scope.ProcessScope
import java.time.Duration

/** Runs a program to its end, and another one in a scope that ends it: `java -jar kotlin.jar`. */
fun main() {
    val sorted = Run.of("sort", "-u")
        .input("pear\napple\npear\n")
        .timeout(Duration.ofSeconds(10))
        .run()
    println(sorted.requireSuccess().outputLines())

    val sleeper = ProcessScope.open().use { scope ->
        val child = scope.start(Spawn.of("sh", "-c", "setsid sleep 1000"))
        println("runs: ${child.pidFd().isAlive}")
        child
    } // the shell, and the sleep in its own session, are gone here
    println(sleeper.exit().get())
}
