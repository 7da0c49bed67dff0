package dashboards

import "fmt"

// checkout returns the dashboard that follows orders from login to parcel.
func checkout() Board {
	return Board{
		UID: "checkout", Title: "Checkout journey",
		About:  "Orders from login to parcel: where customers get lost, which step fails, what is undone, how late parcels are.",
		events: timeline(),
		rows: []row{
			{"Where orders get", []panel{
				bars("Funnel", "How many got how far within the time shown. The steps are counted where they happen.", "short",
					happened(`shop_logins_total{outcome="ok"}`, "1 logged in"),
					happened(`http_server_request_duration_seconds_count{job="gateway",http_request_method="POST",http_route="/orders"}`, "2 asked to order"),
					happened(`shop_stock_reservations_total{outcome="reserved"}`, "3 stock reserved"),
					happened(`shop_payments_charges_total{outcome="ok"}`, "4 charged"),
					happened(`shop_orders_total{outcome="confirmed"}`, "5 confirmed"),
					happened(`shop_shipments_total{kind="first"}`, "6 shipped")),
				graph("Orders by outcome", "Orders a second, counted when they are decided.", "ops",
					promql(`sum by (outcome) (rate(shop_orders_total[$__rate_interval]))`, "{{outcome}}")).Span(quarter),
				graph("Duration of a checkout", "From the customer's request to the answer, at the gateway. Each dot is an order, and leads to its trace.", "s",
					examples(`http_server_request_duration_seconds{job="gateway",http_request_method="POST",http_route="/orders"}`)...).Span(quarter),
			}},
			{"The saga", []panel{
				graph("Steps", "Steps a second that succeed: forward reserve and charge, backward refund and release.", "ops",
					promql(`sum by (step) (rate(shop_saga_steps_total{result="ok"}[$__rate_interval]))`, "{{step}}")),
				graph("Failing steps", "Steps a second that fail, by what was wrong.", "ops",
					promql(`sum by (step, result) (rate(shop_saga_steps_total{result!="ok"}[$__rate_interval]))`, "{{step}}: {{result}}")),
				graph("Compensations", "Steps a second that undo an earlier one, tried and succeeded.", "ops",
					promql(`sum by (step) (rate(shop_saga_steps_total{step=~"refund|release"}[$__rate_interval]))`, "{{step}}"),
					promql(`sum(rate(shop_saga_resumed_total[$__rate_interval]))`, "resumed in the background")),
				graph("Orders that wait", "Orders that are neither confirmed nor failed for good.", "short",
					promql(`sum(shop_orders_unsettled)`, "unsettled")).Span(quarter),
				graph("The oldest of them", "Its age. Orders are settled in the background when what was missing is back.", "s",
					promql(`max(shop_orders_unsettled_oldest_age_seconds)`, "oldest")).Span(quarter),
				graph("Stock", "Reservations a second, by outcome.", "ops",
					promql(`sum by (outcome) (rate(shop_stock_reservations_total[$__rate_interval]))`, "{{outcome}}")).Span(quarter),
				graph("Charged once", "Charges on the bank's statement, a second, by what the audit found. All but once are wrong.", "ops",
					promql(`sum by (finding) (rate(shop_payments_audited_charges_total[$__rate_interval]))`, "{{finding}}")).Span(quarter),
			}},
			{"The bank", []panel{
				graph("Charges by outcome", "Requests to charge a second.", "ops",
					promql(`sum by (outcome) (rate(shop_payments_charges_total[$__rate_interval]))`, "{{outcome}}")),
				graph("Repeated calls", "Calls to the bank a second that repeat a failed one, and changes of the breaker's state.", "ops",
					promql(`sum(rate(shop_payments_bank_retries_total[$__rate_interval]))`, "repeated"),
					promql(`sum(rate(shop_circuit_breaker_transitions_total[$__rate_interval]))`, "breaker changed")),
				states("Circuit breaker", "The state that it is in. Open: the bank is left alone and charges fail at once.",
					promql(`max by (breaker, state) (shop_circuit_breaker_state)`, "{{breaker}} {{state}}")).Span(third),
			}},
			{"After the checkout", afterCheckout()},
			{"Examples", []panel{
				found("Newest checkouts", "Traces of orders, from the gateway to the parcel. Those ordered a moment ago may not be whole.",
					`{ resource.service.name = "gateway" && name = "POST /orders" }`),
				quiet("payment-latency", "No order took longer than 250 ms.",
					found("Slow checkouts", "Traces of orders that took longer than 250 ms.",
						`{ resource.service.name = "gateway" && name = "POST /orders" && duration > 250ms }`)),
			}},
		},
	}
}

func afterCheckout() []panel {
	return []panel{
		graph("Confirmed to shipped", "The lag of all that happens after the answer. Each dot is an order.", "s",
			examples("shop_order_confirmed_to_shipped_seconds")...),
		heat("How the lag spreads", "Each column is a moment, each row a lag; the brighter, the more orders.", "s",
			`sum(rate(shop_order_confirmed_to_shipped_seconds[$__rate_interval]))`),
		graph("Shipping", "Events a second that shipping works off, by what became of them.", "ops",
			promql(`sum by (outcome) (rate(shop_shipping_events_total[$__rate_interval]))`, "{{outcome}}")),
		graph("Events on their way", "Events in the outbox of orders, waiting at the broker, and with shipping.", "short",
			promql(`sum(shop_outbox_backlog_events)`, "outbox"),
			promql(`sum(shop_consumer_pending_messages)`, "at the broker"),
			promql(`sum(shop_consumer_unacknowledged_messages)`, "with shipping"),
			promql(`sum(nats_consumer_redelivered_messages)`, "delivered again")).Span(quarter),
		graph("Age of the outbox", "Age of its oldest event. It grows while the broker is away.", "s",
			promql(`max(shop_outbox_oldest_age_seconds)`, "oldest")).Span(quarter),
		graph("Published", "Events a second that orders publishes.", "ops",
			promql(`sum by (result) (rate(shop_outbox_published_total[$__rate_interval]))`, "{{result}}")).Span(quarter),
		graph("Parcels", "Parcels a second, and events that came for a parcel that was already sent.", "ops",
			promql(`sum by (kind) (rate(shop_shipments_total[$__rate_interval]))`, "{{kind}}")).Span(quarter),
	}
}

// happened returns the query of a counter's increase over the dashboard's time range.
func happened(counter, legend string) query {
	return now(fmt.Sprintf("sum(increase(%s[$__range]))", counter), legend)
}
