package catalog

import "fmt"

// SoldOut is the id of a product that is never in stock. An order for it is
// always rejected.
const SoldOut = "p-050"

// seeded is a product with its initial stock and restock rule.
type seeded struct {
	Product
	onHand, restockBelow, restockTo int64
}

// assortment returns the 50 products of the shop: ten things of five makes.
// They are always the same.
func assortment() []seeded {
	things := []struct{ name, category string }{
		{"Hose", "water"}, {"Hydrant", "water"}, {"Nozzle", "water"}, {"Bucket", "water"},
		{"Helmet", "clothing"}, {"Jacket", "clothing"}, {"Gloves", "clothing"},
		{"Axe", "tools"}, {"Ladder", "tools"}, {"Siren", "tools"},
	}
	makes := []string{"Basic", "Classic", "Pro", "Alpine", "Collector's"}
	var all []seeded
	for i, make := range makes {
		for j, thing := range things {
			n := i*len(things) + j + 1
			all = append(all, seeded{
				Product: Product{
					ID:          fmt.Sprintf("p-%03d", n),
					Name:        make + " " + thing.name,
					Description: fmt.Sprintf("%s of the %s line, for the drill and for the day.", thing.name, make),
					Category:    thing.category,
					PriceMinor:  int64(499 + 1250*i + 370*j),
					Currency:    Currency,
				},
				onHand: 1000, restockBelow: 2 * MaxQuantity, restockTo: 1000,
			})
		}
	}
	last := &all[len(all)-1] // SoldOut
	last.onHand, last.restockBelow, last.restockTo = 0, 0, 0
	return all
}
