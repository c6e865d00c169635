// Command validate says whether an engine's outputs for the Linear Road benchmark are
// right:
//
//	go run ./examples/linear-road/validate -data DIR -out DIR
//
// reads the input (input.csv, history.csv) from one folder and the outputs (tolls.csv, alerts.csv,
// balances.csv, expenditures.csv) from the other, and ends with status 1 if they differ from
// what the published rules say.
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/millrace/millrace/examples/linear-road/rules"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", ".", "folder of the input")
	out := flag.String("out", ".", "folder of the outputs")
	flag.Parse()
	road, err := rules.Expect(*data)
	if err != nil {
		log.Fatal(err)
	}
	got, err := rules.ReadAnswers(*out)
	if err != nil {
		log.Fatal(err)
	}
	right := true
	for _, d := range rules.Compare(&road.Answers, &got) {
		fmt.Println(d.String())
		right = right && d.Equal()
	}
	if !right {
		log.Fatal("the outputs are wrong")
	}
	fmt.Println("the outputs are right")
}
