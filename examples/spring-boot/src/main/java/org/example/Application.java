package org.example;

import io.holdfast.core.scope.ProcessScope;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A web service that runs programs. */
@SpringBootApplication
public class Application {
    static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    /**
     * The scope of all jobs. Spring closes it with the application, which ends the remaining jobs.
     */
    @Bean
    ProcessScope jobs() {
        return ProcessScope.open();
    }
}
